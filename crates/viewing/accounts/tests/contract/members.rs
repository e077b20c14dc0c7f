//! Accounts and profiles as their owners and the studio see and change them.

use matinee_contracts::accounts::{
    DeleteRequest, ListAccountsRequest, Profile, ProfileRequest, PutProfileRequest, SetRolesRequest, SignedIn,
    UpdateAccountRequest,
};
use serde_json::Value;
use tonic::{Code, Status};

use crate::world::{PASSWORD, World, account, world};

async fn put(world: &World, who: &SignedIn, profile: Profile) -> Result<Profile, Status> {
    let request = PutProfileRequest { account: account(who), profile: Some(profile) };
    Ok(world.client().put_profile(request).await?.into_inner())
}

async fn profiles(world: &World, who: &SignedIn) -> Vec<String> {
    let reply = world.client().list_profiles(world.of(who)).await.unwrap().into_inner();
    reply.profiles.into_iter().map(|profile| profile.name).collect()
}

fn named(name: &str) -> Profile {
    Profile { name: name.to_owned(), ..Profile::default() }
}

#[tokio::test]
async fn an_account_has_one_to_five_profiles() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    for name in ["Bea", "Cy", "Dee", "Eve"] {
        put(&world, &new, named(name)).await.unwrap();
    }
    let sixth = put(&world, &new, named("Fay")).await.unwrap_err();
    assert_eq!(sixth.code(), Code::FailedPrecondition);
    assert_eq!(profiles(&world, &new).await, ["Ada", "Bea", "Cy", "Dee", "Eve"]);
    let all = world.client().list_profiles(world.of(&new)).await.unwrap().into_inner().profiles;
    let delete = |profile: &Profile| ProfileRequest { account: account(&new), profile: profile.id.clone() };
    for profile in &all[1..] {
        world.client().delete_profile(delete(profile)).await.unwrap();
    }
    let last = world.client().delete_profile(delete(&all[0])).await.unwrap_err();
    assert_eq!(last.code(), Code::FailedPrecondition);
    let gone = world.client().delete_profile(delete(&all[1])).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
}

#[tokio::test]
async fn five_profiles_are_the_most_also_for_who_asks_ten_times_at_once() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let names: Vec<String> = (0..10).map(|i| format!("Viewer {i}")).collect();
    let added = futures::future::join_all(names.iter().map(|name| put(&world, &new, named(name)))).await;
    assert_eq!(added.iter().filter(|result| result.is_ok()).count(), 4);
    assert_eq!(profiles(&world, &new).await.len(), 5);
}

#[tokio::test]
async fn a_request_that_is_sent_again_adds_no_second_profile() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    put(&world, &new, named("Bea")).await.unwrap();
    let again = put(&world, &new, named("BEA")).await.unwrap_err();
    assert_eq!(again.code(), Code::InvalidArgument);
    assert!(again.message().starts_with("profile.name is refused"), "{}", again.message());
    assert_eq!(profiles(&world, &new).await, ["Ada", "Bea"]);
}

#[tokio::test]
async fn a_profile_is_changed_and_its_limit_is_in_the_next_token() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let own = new.profile.clone().unwrap();
    let changed = Profile { name: "Ada L.".to_owned(), maturity_limit: 16, avatar: "fox".to_owned(), ..own.clone() };
    assert_eq!(put(&world, &new, changed.clone()).await.unwrap(), changed);
    assert_eq!(put(&world, &new, changed.clone()).await.unwrap(), changed);
    let renewed = world.refresh(&new.refresh_token).await.unwrap();
    assert_eq!(renewed.profile, Some(changed));
    assert_eq!(world.claims(&renewed).maturity_limit, 16);
    let kids = Profile { kids: true, maturity_limit: 18, ..own.clone() };
    assert_eq!(put(&world, &new, kids).await.unwrap_err().code(), Code::InvalidArgument);
    let unknown = Profile { id: "nobody".to_owned(), ..own };
    assert_eq!(put(&world, &new, unknown).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn profiles_of_others_are_out_of_reach() {
    let world = world().await;
    let ada = world.sign_up("ada@example.org").await;
    let bea = world.sign_up("bea@example.org").await;
    put(&world, &bea, named("Kim")).await.unwrap();
    let own = bea.profile.clone().unwrap();
    assert_eq!(put(&world, &ada, own.clone()).await.unwrap_err().code(), Code::NotFound);
    let request = ProfileRequest { account: account(&ada), profile: own.id };
    assert_eq!(world.client().delete_profile(request).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(profiles(&world, &bea).await, ["Ada", "Kim"]);
}

#[tokio::test]
async fn a_device_of_a_deleted_profile_has_none() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    for name in ["Bea", "Cy"] {
        put(&world, &new, named(name)).await.unwrap();
    }
    let request = ProfileRequest { account: account(&new), profile: new.profile.clone().unwrap().id };
    world.client().delete_profile(request).await.unwrap();
    let renewed = world.refresh(&new.refresh_token).await.unwrap();
    assert_eq!((renewed.profile.clone(), world.claims(&renewed).profile), (None, None));
}

#[tokio::test]
async fn an_account_moves() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let request = UpdateAccountRequest { account: account(&new), territory: "fr".to_owned(), language: String::new() };
    let moved = world.client().update_account(request.clone()).await.unwrap().into_inner();
    assert_eq!((moved.territory.as_str(), moved.language.as_str(), moved.revision), ("FR", "de", 2));
    assert_eq!(
        world.client().update_account(request).await.unwrap().into_inner(),
        moved,
        "the same again changes nothing"
    );
    let renewed = world.refresh(&new.refresh_token).await.unwrap();
    assert_eq!(world.claims(&renewed).territory, "FR");
}

#[tokio::test]
async fn roles_are_in_the_next_token() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let roles = |roles: &[&str]| SetRolesRequest {
        account: account(&new),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    };
    let set = world.client().set_roles(roles(&["admin", "studio", "admin"])).await.unwrap().into_inner();
    assert_eq!(set.roles, ["studio", "admin"]);
    assert!(world.claims(&new).roles.is_empty(), "the token says what was true when it was made");
    let renewed = world.refresh(&new.refresh_token).await.unwrap();
    assert_eq!(world.claims(&renewed).roles, ["studio", "admin"]);
    let unknown = world.client().set_roles(roles(&["root"])).await.unwrap_err();
    assert_eq!(unknown.code(), Code::InvalidArgument);
    let none = world.client().set_roles(roles(&[])).await.unwrap().into_inner();
    assert!(none.roles.is_empty());
}

#[tokio::test]
async fn the_studio_finds_accounts_by_the_beginning_of_their_address() {
    let world = world().await;
    for email in ["ada@example.org", "adam@example.org", "Adele@example.org", "bea@example.org", "a_b@example.org"] {
        world.sign_up(email).await;
    }
    let list = |prefix: &str, after: &str, limit| ListAccountsRequest {
        email_prefix: prefix.to_owned(),
        after: after.to_owned(),
        limit,
    };
    let found = |request| async {
        let reply = world.client().list_accounts(request).await.unwrap().into_inner();
        reply.accounts.into_iter().map(|account| account.email).collect::<Vec<_>>()
    };
    assert_eq!(found(list("AD", "", 0)).await, ["ada@example.org", "adam@example.org", "Adele@example.org"]);
    assert_eq!(found(list("ad", "", 1)).await, ["ada@example.org"]);
    assert_eq!(found(list("ad", "ada@example.org", 5)).await, ["adam@example.org", "Adele@example.org"]);
    assert_eq!(found(list("", "", 0)).await.len(), 5);
    for literal in ["a%", "%", "ad_", "*"] {
        assert!(found(list(literal, "", 0)).await.is_empty(), "{literal}: nothing is a pattern");
    }
    assert_eq!(found(list("a_", "", 0)).await, ["a_b@example.org"]);
}

#[tokio::test]
async fn an_export_says_all_that_is_kept_and_no_secret() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    world.sign_up("bea@example.org").await;
    put(&world, &new, named("Kim")).await.unwrap();
    let json = world.client().export(world.of(&new)).await.unwrap().into_inner().json;
    let text = String::from_utf8(json).unwrap();
    let export: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(export["account"]["email"], "ada@example.org");
    assert_eq!(export["account"]["created"], "2027-01-15T08:00:00.000Z");
    assert_eq!(export["profiles"][1]["name"], "Kim");
    assert_eq!(export["devices"][0]["name"], "Firefox on Linux");
    assert_eq!(export["linksInMails"][0]["for"], "confirm the e-mail address");
    assert_eq!(export["mailsToBeSent"].as_array().unwrap().len(), 1);
    for secret in ["argon2", "token=", "bea@", &new.refresh_token] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_deleted_account_is_gone_for_good() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let bea = world.sign_up("bea@example.org").await;
    let delete = |password: &str| DeleteRequest { account: account(&new), password: password.to_owned() };
    for wrong in ["", "wrong horse battery"] {
        let refused = world.client().delete(delete(wrong)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().starts_with("password is refused"), "{}", refused.message());
    }
    world.client().delete(delete(PASSWORD)).await.unwrap();
    assert_eq!(world.client().get_account(world.of(&new)).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(world.client().export(world.of(&new)).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(world.refresh(&new.refresh_token).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(world.sign_in("ada@example.org", PASSWORD).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(world.client().delete(delete(PASSWORD)).await.unwrap_err().code(), Code::NotFound);
    // Nothing of it is in the database, but for what is yet to be told.
    let path = world.folder.path().join("accounts.db");
    let pool = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(path)).await.unwrap();
    for table in ["account", "profile", "device", "identity", "ticket", "device_code", "mail", "reset_request"] {
        let column = if table == "account" {
            "id"
        } else if table == "reset_request" {
            "address"
        } else {
            "account"
        };
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table} WHERE {column} IN ($1, $2)"));
        let left: i64 =
            sqlx::query_scalar(sql).bind(account(&new)).bind("ada@example.org").fetch_one(&pool).await.unwrap();
        assert_eq!(left, 0, "{table}");
    }
    // Others stay, and the address is free.
    world.client().get_account(world.of(&bea)).await.unwrap();
    let again = world.sign_up("ada@example.org").await;
    assert_ne!(account(&again), account(&new));
}
