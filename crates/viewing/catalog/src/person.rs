//! Those who made titles or act in them.

use matinee_contracts::catalog as contract;
use matinee_model::ids::PersonId;

use crate::error::{CatalogError, refused};
use crate::text::{said, text};
use crate::title::{MOST_NAME, MOST_TEXT};

/// A person, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Which.
    pub id: PersonId,
    /// As credits name them.
    pub name: String,
    /// Who they are.
    pub biography: String,
    /// "1968-05-12", or empty.
    pub born: String,
    /// Rises by one with each change, from 1; 0 before it is kept.
    pub revision: u64,
}

impl Person {
    /// Takes what a caller says. The revision stays the caller's.
    pub fn parse(person: contract::Person) -> Result<Self, CatalogError> {
        let id = person_id("id", &person.id)?;
        said("name", &person.name, MOST_NAME)?;
        text("biography", &person.biography, MOST_TEXT)?;
        if !person.born.is_empty() && !is_day(&person.born) {
            let reason = "a day such as 1968-05-12 is taken, or none";
            return Err(refused("born", reason));
        }
        let contract::Person { name, biography, born, revision, .. } = person;
        Ok(Self { id, name, biography, born, revision })
    }

    /// As the contract tells it.
    #[must_use]
    pub fn message(self) -> contract::Person {
        let Self { id, name, biography, born, revision } = self;
        contract::Person { id: id.into(), name, biography, born, revision }
    }
}

/// A person's id, or why the field `field` holds none.
pub fn person_id(field: &str, id: &str) -> Result<PersonId, CatalogError> {
    PersonId::parse(id).map_err(|error| refused(field, error.to_string()))
}

fn is_day(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_was_born_on_a_day() {
        for (born, good) in
            [("", true), ("1968-05-12", true), ("1968-02-30", false), ("1968", false), ("12.5.1968", false)]
        {
            let person = contract::Person {
                id: "ada".to_owned(),
                name: "Ada".to_owned(),
                born: born.to_owned(),
                ..Default::default()
            };
            assert_eq!(Person::parse(person).is_ok(), good, "{born}");
        }
    }
}
