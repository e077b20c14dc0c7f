//! A town of viewers: the data folder of an installation with a million accounts, ten thousand titles, and what a
//! hundred million heartbeats would have left behind. Made once, by the services' own stores, and kept for the next
//! measurement; the same for the same seed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use matinee_accounts::store::SqliteAccounts;
use matinee_billing::{BillingConfig, BillingService};
use matinee_catalog::CatalogService;
use matinee_contracts::billing::SubscribeRequest;
use matinee_contracts::billing::billing_client::BillingClient;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::{
    ListTitlesRequest, Person, PublishRequest, PutPersonRequest, PutTitleRequest, Title, TitleKind,
};
use matinee_contracts::events::{Heartbeat, TitleChanged};
use matinee_contracts::telemetry::Beat as PlayerBeat;
use matinee_history::store::{Beat, EmbeddedHistory, HistoryStore};
use matinee_history::watched::{Moment, Position};
use matinee_model::ids::{AccountId, DeviceId, ProfileId, TitleId};
use matinee_recommend::learn::{Round, learn_titles};
use matinee_recommend::memory::Memory;
use matinee_service::access::{AccessClaims, AccessKeys};
use matinee_service::channel::Channel;
use matinee_service::secrets::Secrets;
use matinee_simulate::Chance;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use crate::measure::{Failure, films};

/// How large the town is.
pub const ACCOUNTS: u64 = 1_000_000;
/// Titles of its catalogue.
pub const TITLES: usize = 10_000;
/// Titles that each profile watched. Each record stands for fifty heartbeats of one film.
const WATCHED: u64 = 2;
const SEED: u64 = 2026;
/// Heartbeats written at once.
const AT_ONCE: usize = 8192;
/// A film of this town, in microseconds.
const FILM_US: u64 = 5_400_000_000;

/// The town.
pub struct Town {
    /// Its data folder.
    pub folder: PathBuf,
    /// What is published, the most popular first.
    pub titles: Vec<String>,
    keys: AccessKeys,
    now: u64,
}

/// The account of this number; its profile and its device have names made of the same number.
fn account(number: u64) -> String {
    format!("a{number:07}")
}

fn profile(number: u64) -> String {
    format!("p{number:07}")
}

fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl Town {
    /// The one of an earlier measurement, or a new one.
    pub async fn open() -> Result<Self, Failure> {
        let folder = films()?.join("town");
        let whole = folder.join("whole");
        if !whole.exists() {
            if folder.exists() {
                std::fs::remove_dir_all(&folder)?;
            }
            std::fs::create_dir_all(&folder)?;
            build(&folder).await?;
            std::fs::write(&whole, "")?;
        }
        let secrets = Secrets::open(&folder.join("secrets"))?;
        let titles = std::fs::read_to_string(folder.join("titles.txt"))?.lines().map(str::to_owned).collect();
        Ok(Self { titles, keys: AccessKeys::new(&secrets.access), folder, now: now_seconds() })
    }

    /// `Authorization` of the viewer of this number, who signed in a moment ago.
    pub fn bearer(&self, number: u64) -> Result<String, Failure> {
        let number = number % ACCOUNTS;
        let claims = AccessClaims {
            account: AccountId::parse(&account(number))?,
            device: DeviceId::parse(&format!("d{number:07}"))?,
            profile: Some(ProfileId::parse(&profile(number))?),
            maturity_limit: 0,
            languages: vec!["en".to_owned()],
            roles: Vec::new(),
            territory: "US".to_owned(),
            iat: self.now,
            exp: self.now + 3600,
        };
        Ok(format!("Bearer {}", self.keys.issue(&claims)?))
    }

    /// A title, the popular ones more often.
    pub fn title(&self, chance: &mut Chance) -> &str {
        &self.titles[chance.popular(self.titles.len())]
    }
}

async fn build(folder: &Path) -> Result<(), Failure> {
    eprintln!("making a town of {ACCOUNTS} accounts and {TITLES} titles in {}", folder.display());
    let secrets = Secrets::open(&folder.join("secrets"))?;
    drop(secrets);
    let titles = catalogue(folder).await?;
    std::fs::write(folder.join("titles.txt"), titles.join("\n"))?;
    accounts(folder).await?;
    subscriptions(folder).await?;
    history(folder, &titles).await?;
    interests(folder, &titles).await
}

/// Titles, all movies published. Returns their ids.
async fn catalogue(folder: &Path) -> Result<Vec<String>, Failure> {
    eprintln!("… its catalogue");
    let service = CatalogService::open(&folder.join("catalog.db")).await?;
    let mut client = CatalogClient::new(Channel::local(service.server()));
    let (mut ids, mut people) = (Vec::new(), HashSet::new());
    for title in matinee_simulate::titles(SEED, TITLES) {
        // As of who did not read it first; licensed everywhere, so that every play is one.
        let title = Title { revision: 0, windows: Vec::new(), ..title };
        for credit in title.people.iter().filter(|credit| !credit.person.is_empty()) {
            if people.insert(credit.person.clone()) {
                let (id, name) = (credit.person.clone(), credit.name.clone());
                let person = Some(Person { id, name, ..Person::default() });
                client.put_person(PutPersonRequest { person }).await?;
            }
        }
        let movie = matches!(title.kind(), TitleKind::Movie | TitleKind::Unspecified);
        let id = title.id.clone();
        client.put_title(PutTitleRequest { title: Some(title) }).await?;
        if movie {
            let (version, artwork) = (format!("v-{id}"), String::new());
            client.publish(PublishRequest { title: id.clone(), version, duration_us: FILM_US, artwork }).await?;
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Accounts with a profile and a device each, in the tables that the service made.
async fn accounts(folder: &Path) -> Result<(), Failure> {
    eprintln!("… its people");
    let path = folder.join("accounts.db");
    SqliteAccounts::open(&path).await?;
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {ACCOUNTS})");
    for (rows, values) in [
        (
            "account",
            "printf('a%07d', i), printf('viewer%07d@example.org', i), printf('viewer%07d@example.org', i), 1, NULL, \
             'US', 'en', '', 1, 1",
        ),
        ("profile", "printf('a%07d', i), printf('p%07d', i), 0, 'Viewer', 'sun', 0, 0, 'en', 'en', '', 1"),
    ] {
        execute(&path, format!("INSERT INTO {rows} {numbers} SELECT {values} FROM n")).await?;
    }
    Ok(())
}

async fn execute(path: &Path, statement: String) -> Result<(), Failure> {
    let mut connection = SqliteConnection::connect(&path.display().to_string()).await?;
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// A subscription for everybody: one bought as anybody would, and the others like it.
async fn subscriptions(folder: &Path) -> Result<(), Failure> {
    eprintln!("… their subscriptions");
    let path = folder.join("billing.db");
    let service = BillingService::open(&path, BillingConfig::default()).await?;
    let first = account(0);
    let request = SubscribeRequest {
        account: first.clone(),
        plan: "premium".to_owned(),
        territory: "US".to_owned(),
        payment_token: "test-ok".to_owned(),
        idempotency_key: "first".to_owned(),
        email: "viewer0000000@example.org".to_owned(),
    };
    BillingClient::new(Channel::local(service.server())).subscribe(request).await?;
    drop(service);
    execute(
        &path,
        format!(
            "INSERT INTO customer WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < \
             {ACCOUNTS}) SELECT printf('a%07d', i), c.revision, c.due_us, replace(c.data, '{first}', \
             printf('a%07d', i)) FROM n, customer c WHERE c.account = '{first}'"
        ),
    )
    .await
}

/// What each watched and where it stopped: number, title and position in microseconds.
fn watched(titles: &[String]) -> impl Iterator<Item = (u64, usize, u64)> + '_ {
    let mut chance = Chance::new(SEED);
    (0..ACCOUNTS * WATCHED).map(move |n| {
        let title = chance.popular(titles.len());
        let position = if chance.in_hundred(60) { FILM_US } else { (chance.share() * FILM_US as f64) as u64 };
        (n / WATCHED, title, position)
    })
}

async fn history(folder: &Path, titles: &[String]) -> Result<(), Failure> {
    eprintln!("… where they stopped");
    let store: Arc<dyn HistoryStore> = Arc::new(EmbeddedHistory::open(&folder.join("history")).await?);
    let start_us = i64::try_from(now_seconds())? * 1_000_000 - 30 * 86_400_000_000;
    let mut beats = Vec::with_capacity(AT_ONCE);
    for (number, title, position_us) in watched(titles) {
        let at_us = start_us + i64::try_from(number)? * 2_000_000;
        let moment = Moment { at_us, session: format!("s{number}"), sequence: 1 };
        beats.push(Beat {
            profile: ProfileId::parse(&profile(number))?,
            title: TitleId::parse(&titles[title])?,
            position: Position { moment, position_us, duration_us: FILM_US },
        });
        if beats.len() == AT_ONCE {
            store.take(std::mem::replace(&mut beats, Vec::with_capacity(AT_ONCE)), 0).await?;
        }
    }
    Ok(store.take(beats, 0).await?)
}

async fn interests(folder: &Path, titles: &[String]) -> Result<(), Failure> {
    eprintln!("… and what they like");
    let catalog = CatalogService::open(&folder.join("catalog.db")).await?;
    let mut client = CatalogClient::new(Channel::local(catalog.server()));
    let memory = Memory::open(&folder.join("recommend")).await?;
    let mut after = String::new();
    loop {
        let request = ListTitlesRequest { limit: 500, after: after.clone(), ..ListTitlesRequest::default() };
        let page = client.list_titles(request).await?.into_inner().titles;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        let told = |title| TitleChanged { title: Some(title), ..TitleChanged::default() };
        learn_titles(&memory, page.into_iter().map(told).collect(), None)?;
    }
    let start_us = i64::try_from(now_seconds())? * 1_000_000 - 20 * 86_400_000_000;
    let mut round = Round::new(&memory);
    for (n, (number, title, position_us)) in watched(titles).enumerate() {
        let at_us = start_us + i64::try_from(number)? * 1_500_000;
        let beat = PlayerBeat {
            title: titles[title].clone(),
            session: format!("s{number}"),
            sequence: 1,
            position_us,
            duration_us: FILM_US,
            at_us,
            ..PlayerBeat::default()
        };
        let heartbeat = Heartbeat {
            account: account(number),
            profile: profile(number),
            territory: "US".to_owned(),
            beat: Some(beat),
            received_us: at_us,
            ..Heartbeat::default()
        };
        round.heartbeat(&heartbeat)?;
        if n % AT_ONCE == AT_ONCE - 1 {
            std::mem::replace(&mut round, Round::new(&memory)).keep("heartbeats", 0)?;
        }
    }
    Ok(round.keep("heartbeats", 0)?)
}
