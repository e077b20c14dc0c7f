//! People, as the studio keeps them.

use axum::Json;
use axum::extract::{Path, State};
use matinee_contracts::catalog::{GetPersonRequest, ListPeopleRequest, Person, PutPersonRequest};
use matinee_service::http::{JsonBody, Problem, Queried};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Gateway;

/// Somebody who makes titles.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Person)]
#[serde(deny_unknown_fields)]
pub struct PersonJson {
    #[serde(default)]
    id: String,
    name: String,
    #[serde(default)]
    biography: String,
    /// "1968-05-12", or empty.
    #[serde(default)]
    born: String,
    /// At which it was read; 0: whatever it is.
    #[serde(default)]
    revision: u64,
}

impl From<Person> for PersonJson {
    fn from(person: Person) -> Self {
        Self {
            id: person.id,
            name: person.name,
            biography: person.biography,
            born: person.born,
            revision: person.revision,
        }
    }
}

/// A part of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// After this id.
    after: String,
    limit: u32,
}

/// People, by their ids.
#[utoipa::path(get, path = "/api/studio/catalog/people", tag = "studio", params(ListQuery),
    responses((status = 200, body = Vec<PersonJson>)))]
pub async fn list(
    State(mut gateway): State<Gateway>,
    Queried(asked): Queried<ListQuery>,
) -> Result<Json<Vec<PersonJson>>, Problem> {
    let request = ListPeopleRequest { limit: asked.limit, after: asked.after };
    let people = gateway.catalog.list_people(request).await?.into_inner().people;
    Ok(Json(people.into_iter().map(PersonJson::from).collect()))
}

/// Somebody.
#[utoipa::path(get, path = "/api/studio/catalog/people/{id}", tag = "studio",
    responses((status = 200, body = PersonJson)))]
pub async fn show(State(mut gateway): State<Gateway>, Path(id): Path<String>) -> Result<Json<PersonJson>, Problem> {
    Ok(Json(gateway.catalog.get_person(GetPersonRequest { id }).await?.into_inner().into()))
}

/// Adds somebody, or changes what is said about them.
#[utoipa::path(put, path = "/api/studio/catalog/people/{id}", tag = "studio", request_body = PersonJson,
    responses((status = 200, body = PersonJson)))]
pub async fn put(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
    JsonBody(json): JsonBody<PersonJson>,
) -> Result<Json<PersonJson>, Problem> {
    let person = Person { id, name: json.name, biography: json.biography, born: json.born, revision: json.revision };
    Ok(Json(gateway.catalog.put_person(PutPersonRequest { person: Some(person) }).await?.into_inner().into()))
}
