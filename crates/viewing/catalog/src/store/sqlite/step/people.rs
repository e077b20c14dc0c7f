//! People, and the credits that name them.

use std::collections::HashMap;

use matinee_contracts::catalog as contract;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::super::rows::{person_of, title_of};
use super::{Credited, Step};
use crate::details::Details;
use crate::error::{CatalogError, refused};
use crate::person::Person;

impl Step {
    /// Adds a person, or changes what is said about one; whether anything changed is in the revision.
    pub(in super::super) async fn put_person(
        &mut self,
        person: Person,
        expected: Option<u64>,
    ) -> Result<Person, CatalogError> {
        let row = sqlx::query("SELECT * FROM person WHERE id = $1").bind(person.id.as_str());
        let row = row.fetch_optional(&mut *self.transaction).await?;
        let before = row.as_ref().map(person_of).transpose()?;
        let current = before.as_ref().map_or(0, |before| before.revision);
        if let Some(expected) = expected.filter(|expected| *expected != current) {
            return Err(CatalogError::PersonChanged { person: person.id, current, expected });
        }
        let after = Person { revision: current + 1, ..person };
        if let Some(before) = &before
            && (Person { revision: current, ..after.clone() }) == *before
        {
            return Ok(before.clone());
        }
        sqlx::query(
            "INSERT INTO person (id, name, biography, born, revision) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, biography = excluded.biography,
                 born = excluded.born, revision = excluded.revision",
        )
        .bind(after.id.as_str())
        .bind(&after.name)
        .bind(&after.biography)
        .bind(&after.born)
        .bind(after.revision as i64)
        .execute(&mut *self.transaction)
        .await?;
        if let Some(before) = before.filter(|before| before.name != after.name) {
            self.rename(&before, &after.name).await?;
        }
        Ok(after)
    }

    /// Names a person anew in the credits that name them as they were called.
    async fn rename(&mut self, person: &Person, name: &str) -> Result<(), CatalogError> {
        let rows = sqlx::query(
            "SELECT title.* FROM title JOIN title_person ON title_person.title = title.id
             WHERE title_person.person = $1 ORDER BY title.id",
        )
        .bind(person.id.as_str())
        .fetch_all(&mut *self.transaction)
        .await?;
        for row in &rows {
            let title = title_of(row)?;
            let mut details = title.card().details.clone();
            let mut any = false;
            for credit in details.people_mut() {
                if credit.person == person.id.as_str() && credit.name == person.name {
                    (credit.name, any) = (name.to_owned(), true);
                }
            }
            if any {
                self.change(&title, |card| card.details = details).await?;
            }
        }
        Ok(())
    }

    /// Names those whom a credit does not name, and refuses or makes those who are not there.
    pub(super) async fn name_people(&mut self, details: &mut Details, credited: Credited) -> Result<(), CatalogError> {
        let mut names: HashMap<String, String> = HashMap::new();
        let ids: Vec<_> = details.message().people.iter().map(|c| &c.person).filter(|id| !id.is_empty()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut query = QueryBuilder::<Sqlite>::new("SELECT id, name FROM person WHERE id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id.clone());
        }
        query.push(")");
        for row in query.build().fetch_all(&mut *self.transaction).await? {
            names.insert(row.try_get("id")?, row.try_get("name")?);
        }
        for (i, credit) in details.people_mut().iter_mut().enumerate().filter(|(_, c)| !c.person.is_empty()) {
            if let Some(name) = names.get(&credit.person) {
                if credit.name.is_empty() {
                    credit.name.clone_from(name);
                }
                continue;
            }
            if credited == Credited::Known || credit.name.is_empty() {
                let reason = format!("person {} does not exist", credit.person);
                return Err(refused(format!("people[{i}].person"), reason));
            }
            let (id, name) = (credit.person.clone(), credit.name.clone());
            let made = contract::Person { id: id.clone(), name: name.clone(), ..contract::Person::default() };
            self.put_person(Person::parse(made)?, None).await?;
            names.insert(id, name);
        }
        Ok(())
    }
}
