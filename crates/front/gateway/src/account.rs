//! The viewer's account: who is signed in, profiles, devices, and everything that leads to a sign-in.

mod by_code;
mod devices;
mod me;
mod openid;
mod privacy;
mod profiles;
mod recovery;
mod session;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::door::Inside;

pub(crate) use self::me::private;

/// Routes for those who are not signed in yet: a token that does not hold any more never stands in their way.
pub(crate) fn for_strangers() -> OpenApiRouter<Inside> {
    OpenApiRouter::new()
        .routes(routes!(session::sign_up))
        .routes(routes!(session::sign_in))
        .routes(routes!(session::refresh))
        .routes(routes!(session::sign_out))
        .routes(routes!(recovery::verify))
        .routes(routes!(recovery::forgot))
        .routes(routes!(recovery::reset))
        .routes(routes!(by_code::begin))
        .routes(routes!(by_code::poll))
        .routes(routes!(openid::providers))
        .routes(routes!(openid::start))
        .routes(routes!(openid::callback))
}

/// Routes of whoever is signed in.
pub(crate) fn for_viewers() -> OpenApiRouter<Inside> {
    OpenApiRouter::new()
        .routes(routes!(me::show, me::change, privacy::delete))
        .routes(routes!(privacy::export))
        .routes(routes!(session::choose_profile))
        .routes(routes!(profiles::add))
        .routes(routes!(profiles::change, profiles::delete))
        .routes(routes!(recovery::resend))
        .routes(routes!(recovery::change_password))
        .routes(routes!(devices::list))
        .routes(routes!(devices::sign_out))
        .routes(routes!(by_code::approve))
}
