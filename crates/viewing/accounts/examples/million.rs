//! How the embedded store holds with many accounts: fills a database in the folder given (or goes on with the one there)
//! and prints how long what viewers ask takes.
//!
//!     cargo run --release -p matinee-accounts --example million -- FOLDER [ACCOUNTS]

#![allow(clippy::unwrap_used, reason = "a measurement may panic")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use matinee_accounts::AccountsService;
use matinee_accounts::account::{Account, Device, HasPassword, Profile};
use matinee_accounts::config::{AccountsConfig, Hashing};
use matinee_accounts::email::Email;
use matinee_accounts::entropy::SystemEntropy;
use matinee_accounts::refresh::RefreshToken;
use matinee_accounts::store::{Members, NewAccount, NewDevice, RefreshKeys, SqliteAccounts};
use matinee_contracts::accounts::accounts_client::AccountsClient;
use matinee_contracts::accounts::{AccountRequest, ListAccountsRequest, RefreshRequest, SignInRequest};
use matinee_model::ids::{AccountId, DeviceId, ProfileId};
use matinee_model::territory::Territory;
use matinee_service::access::AccessKeys;
use matinee_service::channel::Channel;
use matinee_service::clock::{Clock, SystemClock};
use matinee_service::secrets::{KeyRing, SecretKey};

const BATCH: usize = 10_000;
const ROUNDS: usize = 2_000;
const PASSWORD: &str = "correct horse battery";
/// Of [`PASSWORD`], as cheap as can be: the store is measured, not argon2.
const CHEAP: Hashing = Hashing { memory_kib: 8, passes: 1, lanes: 1, at_once: 2, waiting: 64 };

fn account(i: usize, hash: &str) -> (NewAccount, RefreshToken) {
    let now_us = SystemClock.now_us();
    let token = RefreshToken::fresh(&SystemEntropy).unwrap();
    let profile = ProfileId::parse(&format!("p{i:08}")).unwrap();
    let device = Device {
        id: DeviceId::parse(&format!("d{i:08}")).unwrap(),
        name: "Firefox on Linux".to_owned(),
        kind: "web".to_owned(),
        signed_in_us: now_us,
        last_seen_us: now_us,
        profile: Some(profile.clone()),
    };
    let keys = RefreshKeys {
        family: token.family_hash(),
        turn: token.turn_hash(),
        expires_us: now_us + 30 * 24 * 3600 * 1_000_000,
    };
    let account = Account {
        id: AccountId::parse(&format!("a{i:08}")).unwrap(),
        email: Email::parse(&format!("viewer{i}@example.org")).unwrap(),
        verified_us: Some(now_us),
        territory: Territory::parse("DE").unwrap(),
        language: "de".to_owned(),
        roles: Vec::new(),
        password: HasPassword::Yes,
        created_us: now_us,
        revision: 1,
    };
    let new = NewAccount {
        account,
        password: Some(hash.to_owned()),
        profile: Profile::first(profile, "Viewer".to_owned(), "de".to_owned()),
        device: NewDevice { device, keys },
        identity: None,
        verification: None,
    };
    (new, token)
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("the folder of the database"));
    let count: usize = arguments.next().map_or(1_000_000, |count| count.parse().expect("how many accounts"));
    let path = folder.join("accounts.db");
    let store = SqliteAccounts::open(&path).await.unwrap();
    let access = AccessKeys::new(&KeyRing::of(SecretKey::new([1; 32])));
    let config = AccountsConfig { hashing: CHEAP, ..AccountsConfig::default() };
    let clock = Arc::new(SystemClock);
    let service =
        AccountsService::new(Arc::new(store.clone()), access, config, clock, Arc::new(SystemEntropy)).unwrap();
    let client = AccountsClient::new(Channel::local(service.server()));

    // By a first account, whose hash the others share.
    let request = matinee_contracts::accounts::SignUpRequest {
        email: "first@example.org".to_owned(),
        password: PASSWORD.to_owned(),
        territory: "DE".to_owned(),
        ..Default::default()
    };
    let _ = client.clone().sign_up(request).await;
    let first = store.credentials_by_email("first@example.org").await.unwrap().unwrap();
    let hash = first.password.unwrap();
    let begun = Instant::now();
    let mut tokens = Vec::new();
    for from in (0..count).step_by(BATCH) {
        let (batch, keys): (Vec<_>, Vec<_>) = (from..count.min(from + BATCH)).map(|i| account(i, &hash)).unzip();
        store.import(&batch).await.unwrap();
        tokens.extend(keys.into_iter().step_by(count.div_ceil(ROUNDS).max(1)));
    }
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!("{count} accounts in {:.1?}, {} MB", begun.elapsed(), bytes / 1_000_000);

    let spread = |i: usize| i.wrapping_mul(2_654_435_761) % count;
    let mut times = Vec::with_capacity(ROUNDS);
    for i in 0..ROUNDS {
        let begun = Instant::now();
        let request = AccountRequest { account: format!("a{:08}", spread(i)) };
        client.clone().get_account(request).await.unwrap();
        times.push(begun.elapsed());
    }
    print("account by id", &mut times);
    for i in 0..ROUNDS {
        let begun = Instant::now();
        let request = ListAccountsRequest { email_prefix: format!("viewer{}", spread(i)), ..Default::default() };
        client.clone().list_accounts(request).await.unwrap();
        times.push(begun.elapsed());
    }
    print("list by prefix", &mut times);
    for i in 0..ROUNDS {
        let begun = Instant::now();
        let email = format!("viewer{}@example.org", spread(i));
        let request = SignInRequest { email, password: PASSWORD.to_owned(), ..Default::default() };
        client.clone().sign_in(request).await.unwrap();
        times.push(begun.elapsed());
    }
    print("sign in, durable", &mut times);
    for token in &tokens {
        let begun = Instant::now();
        client.clone().refresh(RefreshRequest { refresh_token: token.text() }).await.unwrap();
        times.push(begun.elapsed());
    }
    print("refresh, durable", &mut times);
}

fn print(what: &str, times: &mut Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 1000).min(times.len() - 1)];
    println!("{what:>18}: p50 {:.2?}, p99 {:.2?}, highest {:.2?}", at(500), at(990), at(1000));
    times.clear();
}
