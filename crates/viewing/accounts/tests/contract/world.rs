//! A service with a clock that stands until it is moved, and mails that are read as they are handed over.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use matinee_accounts::AccountsService;
use matinee_accounts::config::{AccountsConfig, Hashing};
use matinee_accounts::entropy::SystemEntropy;
use matinee_accounts::mail::{Mail, MailError, Post};
use matinee_accounts::store::SqliteAccounts;
use matinee_contracts::accounts::accounts_client::AccountsClient;
use matinee_contracts::accounts::{AccountRequest, SignInRequest, SignUpRequest, SignedIn};
use matinee_service::access::{AccessClaims, AccessKeys};
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use matinee_service::secrets::{KeyRing, SecretKey};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Status;

pub const SOON: Duration = Duration::from_secs(20);
pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
pub const PASSWORD: &str = "correct horse battery";

/// Stands until it is moved.
#[derive(Debug)]
pub struct Hand(AtomicI64);

impl Clock for Hand {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Takes every mail, and shows it.
#[derive(Debug)]
struct Reader(mpsc::UnboundedSender<Mail>);

#[async_trait]
impl Post for Reader {
    async fn carry(&self, mail: &Mail) -> Result<(), MailError> {
        self.0.send(mail.clone()).map_err(|_| MailError::Later("nobody reads".to_owned()))
    }
}

pub struct World {
    pub client: AccountsClient<Channel>,
    pub service: AccountsService,
    pub clock: Arc<Hand>,
    pub access: AccessKeys,
    pub folder: tempfile::TempDir,
}

/// Mails as they are handed over, until it is dropped.
pub struct Mailbox {
    mails: mpsc::UnboundedReceiver<Mail>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Mailbox {
    pub async fn next(&mut self) -> Mail {
        let next = tokio::time::timeout(SOON, self.mails.recv()).await;
        next.expect("the mail should be there by now").unwrap()
    }

    /// Ends it; the mails that nobody read.
    pub async fn end(mut self) -> Vec<Mail> {
        self.stop.cancel();
        tokio::time::timeout(SOON, self.task).await.unwrap().unwrap();
        let mut rest = Vec::new();
        while let Ok(mail) = self.mails.try_recv() {
            rest.push(mail);
        }
        rest
    }
}

/// The secret of the link in a mail.
pub fn token(mail: &Mail) -> String {
    let (_, rest) = mail.text.split_once("token=").expect("the mail has a link");
    rest.lines().next().unwrap().to_owned()
}

pub fn config() -> AccountsConfig {
    AccountsConfig {
        hashing: Hashing { memory_kib: 64, passes: 1, lanes: 1, at_once: 2, waiting: 64 },
        public_address: "https://films.example".to_owned(),
        ..AccountsConfig::default()
    }
}

pub async fn world() -> World {
    world_with(config()).await
}

pub async fn world_with(config: AccountsConfig) -> World {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Hand(AtomicI64::new(1_800_000_000 * SECOND)));
    let access = AccessKeys::new(&KeyRing::of(SecretKey::new([7; 32])));
    let service = opened(&folder, &access, config, &clock).await;
    World { client: AccountsClient::new(Channel::local(service.server())), service, clock, access, folder }
}

pub async fn opened(
    folder: &tempfile::TempDir,
    access: &AccessKeys,
    config: AccountsConfig,
    clock: &Arc<Hand>,
) -> AccountsService {
    let store = SqliteAccounts::open(&folder.path().join("accounts.db")).await.unwrap();
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    AccountsService::new(Arc::new(store), access.clone(), config, clock, Arc::new(SystemEntropy)).unwrap()
}

pub fn sign_up_request(email: &str) -> SignUpRequest {
    SignUpRequest {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        name: "Ada".to_owned(),
        territory: "DE".to_owned(),
        language: "de".to_owned(),
        device_name: "Firefox on Linux".to_owned(),
        device_kind: "web".to_owned(),
    }
}

impl World {
    pub fn later(&self, by_us: i64) {
        self.clock.0.fetch_add(by_us, Ordering::SeqCst);
    }

    pub fn client(&self) -> AccountsClient<Channel> {
        self.client.clone()
    }

    /// Begins to hand mails over.
    pub fn mailbox(&self) -> Mailbox {
        let (sender, mails) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let (service, shutdown) = (self.service.clone(), stop.clone());
        let task = tokio::spawn(async move { service.deliver(Arc::new(Reader(sender)), shutdown).await });
        Mailbox { mails, stop, task }
    }

    pub async fn sign_up(&self, email: &str) -> SignedIn {
        self.client().sign_up(sign_up_request(email)).await.unwrap().into_inner()
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Result<SignedIn, Status> {
        let request = SignInRequest {
            email: email.to_owned(),
            password: password.to_owned(),
            device_name: "Safari on iPad".to_owned(),
            device_kind: "mobile".to_owned(),
        };
        Ok(self.client().sign_in(request).await?.into_inner())
    }

    pub async fn refresh(&self, refresh_token: &str) -> Result<SignedIn, Status> {
        let request = matinee_contracts::accounts::RefreshRequest { refresh_token: refresh_token.to_owned() };
        Ok(self.client().refresh(request).await?.into_inner())
    }

    pub fn claims(&self, signed_in: &SignedIn) -> AccessClaims {
        self.access.verify(&signed_in.access_token, self.clock.now_seconds()).unwrap()
    }

    pub fn of(&self, signed_in: &SignedIn) -> AccountRequest {
        AccountRequest { account: account(signed_in) }
    }

    /// The names of the devices that are signed in, the last seen first.
    pub async fn device_names(&self, signed_in: &SignedIn) -> Vec<String> {
        let reply = self.client().list_devices(self.of(signed_in)).await.unwrap().into_inner();
        reply.devices.into_iter().map(|device| device.name).collect()
    }
}

pub fn account(signed_in: &SignedIn) -> String {
    signed_in.account.as_ref().unwrap().id.clone()
}
