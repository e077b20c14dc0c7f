//! What an operator sees and does. Each part asks for a role of its own; the studio's password opens all of it.
//!
//! Films and the catalogue are the studio's ("studio"); accounts, plans and invoices are support's ("support"); who has
//! which role is an admin's; how things go is shown to both.

mod accounts;
mod catalog;
mod films;
mod insight;
mod inspection_json;
mod money;
mod people;
mod title_json;
mod workflow_json;

use axum::Router;
use axum::middleware::from_fn_with_state;
use matinee_service::viewer::Role;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::door::Inside;
use crate::guard::{Guard, StudioAccess, admit};

fn guard(access: &StudioAccess, roles: &'static [Role]) -> Guard {
    Guard { access: access.clone(), roles }
}

/// Routes of another crate, for the studio alone.
pub(crate) fn guarded(routes: Router, access: &StudioAccess) -> Router {
    routes.layer(from_fn_with_state(guard(access, &[Role::Studio]), admit))
}

/// What lasts as long as it lasts: streams of events.
pub(crate) fn events(access: &StudioAccess) -> OpenApiRouter<Inside> {
    OpenApiRouter::new()
        .routes(routes!(films::watch_workflow))
        .layer(from_fn_with_state(guard(access, &[Role::Studio]), admit))
}

/// The studio's routes.
pub(crate) fn routes(access: &StudioAccess) -> OpenApiRouter<Inside> {
    let films = OpenApiRouter::new()
        .routes(routes!(films::list_workflows))
        .routes(routes!(films::show_workflow))
        .routes(routes!(films::retry_workflow))
        .routes(routes!(films::cancel_workflow))
        .routes(routes!(films::list_uploads))
        .routes(routes!(films::list_titles))
        .routes(routes!(films::put_title))
        .routes(routes!(films::inspection))
        .routes(routes!(catalog::list))
        .routes(routes!(catalog::show, catalog::put, catalog::delete))
        .routes(routes!(catalog::put_windows))
        .routes(routes!(catalog::put_artwork))
        .routes(routes!(catalog::import))
        .routes(routes!(catalog::export))
        .routes(routes!(catalog::genres))
        .routes(routes!(people::list))
        .routes(routes!(people::show, people::put))
        .routes(routes!(insight::models, insight::train))
        .routes(routes!(insight::search, insight::rebuild))
        .layer(from_fn_with_state(guard(access, &[Role::Studio]), admit));
    let support = OpenApiRouter::new()
        .routes(routes!(accounts::list))
        .routes(routes!(money::plans, money::put_plan))
        .routes(routes!(money::invoices))
        .routes(routes!(money::refund))
        .routes(routes!(money::ledger))
        .layer(from_fn_with_state(guard(access, &[Role::Support]), admit));
    let admins = OpenApiRouter::new()
        .routes(routes!(accounts::set_roles))
        .layer(from_fn_with_state(guard(access, &[Role::Admin]), admit));
    let both = OpenApiRouter::new()
        .routes(routes!(insight::traces))
        .routes(routes!(insight::trace))
        .routes(routes!(insight::quality))
        .layer(from_fn_with_state(guard(access, &[Role::Studio, Role::Support]), admit));
    films.merge(support).merge(admins).merge(both)
}
