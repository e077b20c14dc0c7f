//! Signing in at a provider.

use matinee_accounts::config::Provider;
use matinee_accounts::{AccountsConfig, AccountsError};
use matinee_contracts::accounts::{
    DeleteRequest, FinishOpenIdRequest, ListProvidersRequest, SignedIn, StartOpenIdReply, StartOpenIdRequest,
    VerifyEmailRequest,
};
use matinee_service::clock::Clock;
use serde_json::{Value, json};
use tonic::{Code, Status};

use crate::issuer::{CALLBACK, Issuer, Sent, Wrong};
use crate::world::{HOUR, MINUTE, PASSWORD, World, account, config, token, world_with};

async fn worlds() -> (World, Issuer) {
    let issuer = Issuer::open().await;
    let config = AccountsConfig { providers: vec![issuer.provider()], ..config() };
    (world_with(config).await, issuer)
}

fn ada() -> Value {
    json!({"sub": "4711", "email": "Ada@example.org", "email_verified": true, "name": "Ada L.", "locale": "fr-FR"})
}

async fn start(world: &World) -> StartOpenIdReply {
    let request = StartOpenIdRequest { provider: "example".to_owned(), redirect_uri: CALLBACK.to_owned() };
    world.client().start_open_id(request).await.unwrap().into_inner()
}

fn back(started: &StartOpenIdReply, code: &str) -> FinishOpenIdRequest {
    FinishOpenIdRequest {
        state: Sent::parse(&started.url).get("state").to_owned(),
        code: code.to_owned(),
        binding: started.binding.clone(),
        device_name: "Chrome on Windows".to_owned(),
        territory: "FR".to_owned(),
    }
}

async fn finish(world: &World, request: FinishOpenIdRequest) -> Result<SignedIn, Status> {
    Ok(world.client().finish_open_id(request).await?.into_inner())
}

/// There and back again.
async fn sign_in(world: &World, issuer: &Issuer, person: Value, wrong: Wrong) -> Result<SignedIn, Status> {
    let started = start(world).await;
    let code = issuer.grant(&Sent::parse(&started.url), person, world.clock.now_seconds(), wrong);
    finish(world, back(&started, &code)).await
}

#[tokio::test]
async fn a_new_viewer_signs_up_by_a_provider_and_comes_again() {
    let (world, issuer) = worlds().await;
    let listed = world.client().list_providers(ListProvidersRequest {}).await.unwrap().into_inner().providers;
    assert_eq!((listed[0].name.as_str(), listed[0].label.as_str()), ("example", "Example"));
    let new = sign_in(&world, &issuer, ada(), Wrong::Nothing).await.unwrap();
    let made = new.account.clone().unwrap();
    assert_eq!((made.email.as_str(), made.email_verified, made.has_password), ("Ada@example.org", true, false));
    assert_eq!((made.territory.as_str(), made.language.as_str()), ("FR", "fr-FR"));
    assert_eq!(new.profile.clone().unwrap().name, "Ada L.");
    assert_eq!(world.device_names(&new).await, ["Chrome on Windows"]);
    // Known by the subject, whatever the address is by then.
    let moved = json!({"sub": "4711", "email": "other@example.org", "email_verified": false});
    let again = sign_in(&world, &issuer, moved, Wrong::Nothing).await.unwrap();
    assert_eq!(account(&again), account(&new));
    assert_eq!(issuer.discoveries(), 1, "what it says of itself is kept");
    // Without a password there is none to sign in by.
    assert_eq!(world.sign_in("ada@example.org", PASSWORD).await.unwrap_err().code(), Code::Unauthenticated);
    let request = DeleteRequest { account: account(&new), password: String::new() };
    world.client().delete(request).await.unwrap();
    let anew = sign_in(&world, &issuer, ada(), Wrong::Nothing).await.unwrap();
    assert_ne!(account(&anew), account(&new));
}

#[tokio::test]
async fn an_id_token_that_proves_nothing_is_refused() {
    let (world, issuer) = worlds().await;
    let wrongs = [
        Wrong::Nonce,
        Wrong::NoNonce,
        Wrong::Audience,
        Wrong::Issuer,
        Wrong::Expired,
        Wrong::Signature,
        Wrong::Claims,
        Wrong::Algorithm,
        Wrong::Symmetric,
        Wrong::Missing,
        Wrong::OtherKey,
        Wrong::AccessToken,
    ];
    for wrong in wrongs {
        let refused = sign_in(&world, &issuer, ada(), wrong).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{wrong:?}: {refused}");
    }
    sign_in(&world, &issuer, ada(), Wrong::Nothing).await.unwrap();
}

#[tokio::test]
async fn clocks_differ_a_little() {
    let (world, issuer) = worlds().await;
    let started = start(&world).await;
    // Expired 30 s ago by our clock.
    let now = world.clock.now_seconds() - 330;
    let code = issuer.grant(&Sent::parse(&started.url), ada(), now, Wrong::Nothing);
    finish(&world, back(&started, &code)).await.unwrap();
}

#[tokio::test]
async fn a_sign_in_belongs_to_the_browser_that_began_it_and_comes_back_once() {
    let (world, issuer) = worlds().await;
    let now = world.clock.now_seconds();
    let (mine, other) = (start(&world).await, start(&world).await);
    let code = issuer.grant(&Sent::parse(&mine.url), ada(), now, Wrong::Nothing);
    // A thief lures somebody into the thief's account.
    let lured = FinishOpenIdRequest { binding: other.binding.clone(), ..back(&mine, &code) };
    assert_eq!(finish(&world, lured).await.unwrap_err().code(), Code::Unauthenticated);
    // And it is used up by that.
    assert_eq!(finish(&world, back(&mine, &code)).await.unwrap_err().code(), Code::Unauthenticated);
    // A code of another sign-in: PKCE.
    let mine = start(&world).await;
    let code = issuer.grant(&Sent::parse(&mine.url), ada(), now, Wrong::Nothing);
    assert_eq!(finish(&world, back(&other, &code)).await.unwrap_err().code(), Code::Unauthenticated);
    // Too late.
    let mine = start(&world).await;
    let code = issuer.grant(&Sent::parse(&mine.url), ada(), now, Wrong::Nothing);
    world.later(10 * MINUTE);
    assert_eq!(finish(&world, back(&mine, &code)).await.unwrap_err().code(), Code::Unauthenticated);
    // That one, and the one whose code was sent for another.
    assert_eq!(world.service.sweep().await.unwrap(), 2);
}

#[tokio::test]
async fn a_confirmed_address_leads_to_its_account() {
    let (world, issuer) = worlds().await;
    let new = world.sign_up("ada@example.org").await;
    let mut mailbox = world.mailbox();
    let link = token(&mailbox.next().await);
    world.client().verify_email(VerifyEmailRequest { token: link }).await.unwrap();
    let elsewhere = sign_in(&world, &issuer, ada(), Wrong::Nothing).await.unwrap();
    assert_eq!(account(&elsewhere), account(&new));
    // Both ways lead in.
    world.sign_in("ada@example.org", PASSWORD).await.unwrap();
    world.refresh(&new.refresh_token).await.unwrap();
    let export = world.client().export(world.of(&new)).await.unwrap().into_inner().json;
    let export: Value = serde_json::from_slice(&export).unwrap();
    assert_eq!(export["signsInElsewhere"][0]["subject"], "4711");
}

#[tokio::test]
async fn who_signed_up_with_an_address_of_somebody_else_does_not_keep_it() {
    let (world, issuer) = worlds().await;
    // Not Ada, who never confirmed it.
    let thief = world.sign_up("ada@example.org").await;
    let ada = sign_in(&world, &issuer, ada(), Wrong::Nothing).await.unwrap();
    assert_eq!(account(&ada), account(&thief));
    assert_eq!(world.sign_in("ada@example.org", PASSWORD).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(world.refresh(&thief.refresh_token).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(world.device_names(&ada).await, ["Chrome on Windows"]);
}

#[tokio::test]
async fn an_address_that_the_provider_did_not_confirm_leads_nowhere() {
    let (world, issuer) = worlds().await;
    world.sign_up("ada@example.org").await;
    for person in [
        json!({"sub": "1", "email": "ada@example.org", "email_verified": false}),
        json!({"sub": "1", "email": "ada@example.org"}),
        json!({"sub": "1"}),
        json!({"sub": "1", "email": "not an address", "email_verified": true}),
    ] {
        let refused = sign_in(&world, &issuer, person.clone(), Wrong::Nothing).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{person}: {refused}");
    }
}

#[tokio::test]
async fn an_address_may_be_told_beside_the_id_token_but_of_nobody_else() {
    let (world, issuer) = worlds().await;
    issuer.tells(json!({"sub": "4712", "email": "bea@example.org", "email_verified": true}));
    let bare = json!({"sub": "4711"});
    let refused = sign_in(&world, &issuer, bare.clone(), Wrong::Nothing).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated, "it tells of somebody else");
    issuer.tells(ada());
    let new = sign_in(&world, &issuer, bare.clone(), Wrong::Nothing).await.unwrap();
    assert_eq!(new.account.clone().unwrap().email, "Ada@example.org");
    // Known from then on, also where it tells no more.
    issuer.tells(Value::Null);
    assert_eq!(account(&sign_in(&world, &issuer, bare, Wrong::Nothing).await.unwrap()), account(&new));
}

#[tokio::test]
async fn new_keys_of_a_provider_are_fetched_but_not_for_every_forgery() {
    let (world, issuer) = worlds().await;
    sign_in(&world, &issuer, ada(), Wrong::Nothing).await.unwrap();
    issuer.rotate();
    let early = sign_in(&world, &issuer, ada(), Wrong::Nothing).await.unwrap_err();
    assert_eq!(early.code(), Code::Unauthenticated, "it was asked less than a minute ago");
    world.later(MINUTE);
    sign_in(&world, &issuer, ada(), Wrong::Nothing).await.unwrap();
    for _ in 0..5 {
        sign_in(&world, &issuer, ada(), Wrong::OtherKey).await.unwrap_err();
    }
    assert_eq!(issuer.discoveries(), 2);
    world.later(HOUR);
    sign_in(&world, &issuer, ada(), Wrong::Nothing).await.unwrap();
    assert_eq!(issuer.discoveries(), 3);
}

#[tokio::test]
async fn a_provider_that_is_away_or_unknown_is_told_so() {
    let (world, issuer) = worlds().await;
    let request = |provider: &str, redirect: &str| StartOpenIdRequest {
        provider: provider.to_owned(),
        redirect_uri: redirect.to_owned(),
    };
    let unknown = world.client().start_open_id(request("nobody", CALLBACK)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    for bad in ["", "x", "javascript:alert(1)", "https://films.example/#x"] {
        let refused = world.client().start_open_id(request("example", bad)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{bad}");
        assert!(refused.message().starts_with("redirect_uri is refused"), "{}", refused.message());
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let away = Provider { issuer: nowhere, ..issuer.provider() };
    let world = world_with(AccountsConfig { providers: vec![away], ..config() }).await;
    let failed = world.client().start_open_id(request("example", CALLBACK)).await.unwrap_err();
    assert_eq!(failed.code(), Code::Unavailable);
}

#[tokio::test]
async fn providers_that_can_not_be_used_are_refused_at_the_start() {
    let issuer = Issuer::open().await;
    let good = issuer.provider();
    let folder = tempfile::tempdir().unwrap();
    for (providers, reason) in [
        (vec![Provider { name: "Example!".to_owned(), ..good.clone() }], "name"),
        (vec![good.clone(), good.clone()], "two are called"),
        (vec![Provider { issuer: "http://accounts.example.com".to_owned(), ..good.clone() }], "neither https"),
        (vec![Provider { issuer: "nothing".to_owned(), ..good.clone() }], "issuer"),
        (vec![Provider { client_id: String::new(), ..good }], "client_id"),
    ] {
        let config = AccountsConfig { providers, ..config() };
        let access = matinee_service::access::AccessKeys::new(&matinee_service::secrets::KeyRing::of(
            matinee_service::secrets::SecretKey::new([1; 32]),
        ));
        let opened = matinee_accounts::AccountsService::open(&folder.path().join("a.db"), access, config).await;
        let error = opened.unwrap_err();
        assert!(matches!(error, AccountsError::Config { key: "providers", .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

/// With the provider of `tests/provider/provider.mjs`: a certified one, which plays the browser too.
#[tokio::test]
#[ignore = "needs a provider: MATINEE_TEST_PROVIDER names its issuer"]
async fn a_certified_provider_signs_viewers_in() {
    let issuer = std::env::var("MATINEE_TEST_PROVIDER").unwrap();
    let provider = Provider {
        name: "example".to_owned(),
        label: "Example".to_owned(),
        issuer: issuer.clone(),
        client_id: "films".to_owned(),
        client_secret: "a-secret-between-two".to_owned(),
        scopes: vec!["email".to_owned(), "profile".to_owned()],
    };
    // Its clock is the machine's.
    let folder = tempfile::tempdir().unwrap();
    let access = matinee_service::access::AccessKeys::new(&matinee_service::secrets::KeyRing::of(
        matinee_service::secrets::SecretKey::new([1; 32]),
    ));
    let config = AccountsConfig { providers: vec![provider], ..config() };
    let service = matinee_accounts::AccountsService::open(&folder.path().join("a.db"), access, config).await.unwrap();
    let channel = matinee_service::channel::Channel::local(service.server());
    let mut client = matinee_contracts::accounts::accounts_client::AccountsClient::new(channel);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let request = StartOpenIdRequest { provider: "example".to_owned(), redirect_uri: CALLBACK.to_owned() };
        let started = client.start_open_id(request).await.unwrap().into_inner();
        let mut browser = openidconnect::url::Url::parse(&format!("{issuer}/_browser")).unwrap();
        browser.query_pairs_mut().append_pair("url", &started.url);
        let came_back = reqwest::get(browser.as_str()).await.unwrap().text().await.unwrap();
        let returned = Sent::parse(&came_back);
        assert_eq!(returned.get("iss"), issuer, "{came_back}");
        let request = back(&started, returned.get("code"));
        seen.push(client.finish_open_id(request).await.unwrap().into_inner());
    }
    let made = seen[0].account.clone().unwrap();
    assert_eq!((made.email.as_str(), made.email_verified), ("grace@example.org", true));
    assert_eq!((made.language.as_str(), seen[0].profile.clone().unwrap().name.as_str()), ("en-GB", "Grace H."));
    assert_eq!(account(&seen[0]), account(&seen[1]));
}
