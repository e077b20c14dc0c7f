//! Who may use the studio: accounts with a role, and those with its password (HTTP Basic, user "studio").

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use http::{HeaderValue, StatusCode, header};
use matinee_service::http::Problem;
use matinee_service::viewer::{Role, Viewer};

/// Who may use the studio beside accounts with a role.
#[derive(Clone, Default)]
pub enum StudioAccess {
    /// Everybody: an open installation on a loopback address, as the configuration sees to.
    #[default]
    Everybody,
    /// Nobody.
    Roles,
    /// Whoever holds this password (user "studio").
    Password(String),
}

impl std::fmt::Debug for StudioAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Everybody => "Everybody",
            Self::Roles => "Roles",
            Self::Password(_) => "Password(…)",
        })
    }
}

/// What a part of the studio asks for.
#[derive(Debug, Clone)]
pub struct Guard {
    /// Who may use all of it.
    pub access: StudioAccess,
    /// One of these roles, or an admin's.
    pub roles: &'static [Role],
}

/// Lets a request through to the studio, or says why not.
pub async fn admit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let viewer = request.extensions().get::<Viewer>();
    let may = viewer.is_some_and(|viewer| guard.roles.iter().any(|role| viewer.may(*role)));
    let without_role = match &guard.access {
        StudioAccess::Everybody => true,
        StudioAccess::Roles => false,
        StudioAccess::Password(password) => holds(&request, password),
    };
    if may || without_role {
        return next.run(request).await;
    }
    if viewer.is_some_and(|viewer| viewer.member.is_some()) {
        return Problem::forbidden("the account has no role for this part of the studio").into_response();
    }
    let refused = |detail| Problem::new(StatusCode::UNAUTHORIZED, "not signed in", detail).with_code("sign_in");
    if matches!(guard.access, StudioAccess::Roles) {
        return refused("the studio asks for an account with a role").into_response();
    }
    let mut response = refused("the studio asks for its password, or for an account with a role").into_response();
    let challenge = HeaderValue::from_static("Basic realm=\"Matinee studio\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

fn holds(request: &Request, key: &str) -> bool {
    let Some(given) = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()) else {
        return false;
    };
    let Some(encoded) = given.strip_prefix("Basic ") else { return false };
    let Ok(decoded) = base64::engine::general_purpose::STANDARD.decode(encoded.trim()) else { return false };
    let expected = format!("studio:{key}");
    same(&decoded, expected.as_bytes())
}

/// Compares in a time that does not tell where two texts differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}
