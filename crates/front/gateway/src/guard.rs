//! Who may use the studio: accounts with a role, and those with its password (HTTP Basic, user "studio").

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use http::{HeaderValue, StatusCode, header};
use matinee_service::http::Problem;
use matinee_service::viewer::{Role, Viewer};

/// The studio's password; empty where it is open (on a loopback address only, as the configuration sees to).
#[derive(Clone, Default)]
pub struct StudioKey(pub String);

impl std::fmt::Debug for StudioKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StudioKey(…)")
    }
}

/// What a part of the studio asks for.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The password that opens all of it.
    pub key: StudioKey,
    /// One of these roles, or an admin's.
    pub roles: &'static [Role],
}

/// Lets a request through to the studio, or says why not.
pub async fn admit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let viewer = request.extensions().get::<Viewer>();
    let may = viewer.is_some_and(|viewer| guard.roles.iter().any(|role| viewer.may(*role)));
    if may || guard.key.0.is_empty() || holds(&request, &guard.key.0) {
        return next.run(request).await;
    }
    if viewer.is_some_and(|viewer| viewer.member.is_some()) {
        return Problem::forbidden("the account has no role for this part of the studio").into_response();
    }
    let detail = "the studio asks for its password, or for an account with a role";
    let mut response =
        Problem::new(StatusCode::UNAUTHORIZED, "not signed in", detail).with_code("sign_in").into_response();
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
