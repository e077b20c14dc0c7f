//! Signing up and in.

use matinee_accounts::config::{AccountsConfig, Hashing};
use matinee_contracts::accounts::accounts_client::AccountsClient;
use matinee_contracts::accounts::{SignInRequest, SignUpRequest};
use matinee_service::access::AccessError;
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use tonic::Code;

use crate::world::{MINUTE, PASSWORD, SECOND, account, config, opened, sign_up_request, world};

#[tokio::test]
async fn a_new_viewer_is_signed_in_with_one_profile() {
    let world = world().await;
    let new = world.sign_up("Ada@Example.org").await;
    let account = new.account.clone().unwrap();
    assert_eq!(
        (account.email.as_str(), account.email_verified, account.has_password),
        ("Ada@example.org", false, true)
    );
    assert_eq!((account.territory.as_str(), account.language.as_str(), account.revision), ("DE", "de", 1));
    let profile = new.profile.clone().unwrap();
    assert_eq!((profile.name.as_str(), profile.language.as_str(), profile.kids), ("Ada", "de", false));
    let claims = world.claims(&new);
    assert_eq!(claims.account.as_str(), account.id);
    assert_eq!(claims.device.as_str(), new.device);
    assert_eq!(claims.profile.map(String::from), Some(profile.id));
    assert_eq!((claims.territory.as_str(), claims.languages), ("DE", vec!["de".to_owned()]));
    assert!(claims.roles.is_empty());
}

#[tokio::test]
async fn an_access_token_holds_for_a_quarter_of_an_hour() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    assert_eq!(new.access_expires_us, world.clock.now_us() + 15 * MINUTE);
    let now = world.clock.now_seconds();
    assert!(world.access.verify(&new.access_token, now + 899).is_ok());
    assert_eq!(world.access.verify(&new.access_token, now + 900), Err(AccessError::Expired(0)));
    assert!(
        matches!(world.access.verify(&new.access_token, now - 3600), Err(AccessError::NotYet(_))),
        "a skewed clock"
    );
}

#[tokio::test]
async fn a_profile_is_named_as_the_address_where_nobody_names_it() {
    let world = world().await;
    let request =
        SignUpRequest { name: String::new(), language: String::new(), ..sign_up_request("ada+tv@example.org") };
    let new = world.client().sign_up(request).await.unwrap().into_inner();
    assert_eq!(new.profile.unwrap().name, "ada");
    assert_eq!(new.account.unwrap().language, "en");
}

#[tokio::test]
async fn an_address_has_one_account_however_it_is_written() {
    let world = world().await;
    world.sign_up("ada@bücher.example").await;
    for again in ["ADA@bücher.example", "ada@xn--bcher-kva.example", " ada@BÜCHER.example "] {
        let refused = world.client().sign_up(sign_up_request(again)).await.unwrap_err();
        assert_eq!(refused.code(), Code::AlreadyExists, "{again}");
    }
    let request = world.client().sign_up(sign_up_request("ada+x@bücher.example")).await;
    assert!(request.is_ok(), "a tag is another address");
}

#[tokio::test]
async fn of_many_who_sign_up_at_once_with_one_address_one_is_made() {
    let world = world().await;
    let all = (0..6).map(|_| {
        let mut client = world.client();
        async move { client.sign_up(sign_up_request("ada@example.org")).await }
    });
    let results = futures::future::join_all(all).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let codes = results.into_iter().filter_map(Result::err).map(|status| status.code());
    assert!(codes.into_iter().all(|code| code == Code::AlreadyExists));
}

#[tokio::test]
async fn who_knows_the_password_signs_in_as_the_only_profile() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let again = world.sign_in("ADA@example.org", PASSWORD).await.unwrap();
    assert_eq!(account(&again), account(&new));
    assert_ne!(again.device, new.device);
    assert_eq!(again.profile, new.profile);
    assert_eq!(world.device_names(&new).await.len(), 2);
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_are_told_alike() {
    let world = world().await;
    world.sign_up("ada@example.org").await;
    let wrong = world.sign_in("ada@example.org", "wrong horse battery").await.unwrap_err();
    let unknown = world.sign_in("bea@example.org", "wrong horse battery").await.unwrap_err();
    assert_eq!(wrong.code(), Code::Unauthenticated);
    assert_eq!((wrong.code(), wrong.message()), (unknown.code(), unknown.message()));
    assert_eq!(wrong.metadata().len(), unknown.metadata().len());
}

#[tokio::test]
async fn guesses_are_slowed_down_alike_for_known_and_unknown_addresses() {
    let world = world().await;
    world.sign_up("ada@example.org").await;
    let mut told = Vec::new();
    for email in ["ada@example.org", "bea@example.org"] {
        let mut codes = Vec::new();
        for _ in 0..7 {
            let refused = world.sign_in(email, "wrong horse battery").await.unwrap_err();
            let after = refused.metadata().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
            codes.push((refused.code(), after));
        }
        told.push(codes);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0][4], (Code::Unauthenticated, None));
    assert_eq!(told[0][5], (Code::ResourceExhausted, Some("1".to_owned())));
    // The right one has to wait too, but only for that.
    assert_eq!(world.sign_in("ada@example.org", PASSWORD).await.unwrap_err().code(), Code::ResourceExhausted);
    world.later(SECOND);
    world.sign_in("ada@example.org", PASSWORD).await.unwrap();
    assert_eq!(world.sign_in("ada@example.org", "wrong horse").await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_password_is_hashed_anew_when_hashing_was_made_stronger() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let stored = || async {
        let path = world.folder.path().join("accounts.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        let hash: String = sqlx::query_scalar("SELECT password FROM account").fetch_one(&pool).await.unwrap();
        pool.close().await;
        hash
    };
    assert!(stored().await.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
    let stronger = Hashing { memory_kib: 128, passes: 2, ..config().hashing };
    let config = AccountsConfig { hashing: stronger, ..config() };
    let service = opened(&world.folder, &world.access, config, &world.clock).await;
    let mut client = AccountsClient::new(Channel::local(service.server()));
    let request = |password: &str| SignInRequest {
        email: "ada@example.org".to_owned(),
        password: password.to_owned(),
        ..SignInRequest::default()
    };
    client.sign_in(request("wrong horse battery")).await.unwrap_err();
    assert!(stored().await.starts_with("$argon2id$v=19$m=64,"), "not for a wrong one");
    client.sign_in(request(PASSWORD)).await.unwrap();
    assert!(stored().await.starts_with("$argon2id$v=19$m=128,t=2,p=1$"));
    client.sign_in(request(PASSWORD)).await.unwrap();
    assert_eq!(world.device_names(&new).await.len(), 3);
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let service = opened(&world.folder, &world.access, config(), &world.clock).await;
    let mut client = AccountsClient::new(Channel::local(service.server()));
    let read = client.get_account(world.of(&new)).await.unwrap().into_inner();
    assert_eq!(Some(read), new.account);
}
