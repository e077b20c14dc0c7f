//! Mails on their way: a folder, a mail server, one that is away, one that refuses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use matinee_accounts::config::MailConfig;
use matinee_accounts::mail::{Mail, MailError, Post};
use matinee_accounts::{AccountsConfig, AccountsService};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::world::{DAY, MINUTE, SOON, World, config, world};

/// Says what became of each try.
#[derive(Debug)]
struct Watched(Arc<dyn Post>, mpsc::UnboundedSender<Result<(), MailError>>);

#[async_trait]
impl Post for Watched {
    async fn carry(&self, mail: &Mail) -> Result<(), MailError> {
        let result = self.0.carry(mail).await;
        let copy = match &result {
            Ok(()) => Ok(()),
            Err(MailError::Refused(reason)) => Err(MailError::Refused(reason.clone())),
            Err(other) => Err(MailError::Later(other.to_string())),
        };
        self.1.send(copy).unwrap();
        result
    }
}

struct Delivery {
    tries: mpsc::UnboundedReceiver<Result<(), MailError>>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Delivery {
    fn begin(world: &World, post: Arc<dyn Post>) -> Self {
        let (sender, tries) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let (service, shutdown) = (world.service.clone(), stop.clone());
        let post = Arc::new(Watched(post, sender));
        let task = tokio::spawn(async move { service.deliver(post, shutdown).await });
        Self { tries, stop, task }
    }

    async fn next(&mut self) -> Result<(), MailError> {
        tokio::time::timeout(SOON, self.tries.recv()).await.expect("it should be tried by now").unwrap()
    }

    /// Ends it; how often more it was tried.
    async fn end(mut self) -> usize {
        self.stop.cancel();
        tokio::time::timeout(SOON, self.task).await.unwrap().unwrap();
        std::iter::from_fn(|| self.tries.try_recv().ok()).count()
    }
}

#[tokio::test]
async fn without_a_mail_server_mails_are_files() {
    let world = world().await;
    let folder = world.folder.path().join("mails");
    let post = AccountsService::post(&config(), &folder).unwrap();
    let mut delivery = Delivery::begin(&world, post);
    world.sign_up("ada@example.org").await;
    delivery.next().await.unwrap();
    assert_eq!(delivery.end().await, 0);
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    let text = std::fs::read_to_string(&files[0]).unwrap();
    assert!(text.contains("To: ada@example.org"), "{text}");
}

/// A mail server that answers each recipient with the next of `answers` (250 when there are no more) and shows what it took.
async fn mail_server(answers: &'static [&'static str]) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("smtp://{}", listener.local_addr().unwrap());
    let (sender, taken) = mpsc::unbounded_channel();
    let asked = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (sender, asked) = (sender.clone(), Arc::clone(&asked));
            tokio::spawn(async move {
                let (reader, mut writer) = stream.into_split();
                let mut lines = BufReader::new(reader).lines();
                let mut envelope = String::new();
                writer.write_all(b"220 mail.test\r\n").await.unwrap();
                while let Ok(Some(line)) = lines.next_line().await {
                    let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
                    let answer = match verb.as_str() {
                        "EHLO" => "250-mail.test\r\n250 8BITMIME",
                        "RCPT" => {
                            envelope.push_str(&line);
                            answers.get(asked.fetch_add(1, Ordering::SeqCst)).copied().unwrap_or("250 taken")
                        }
                        "DATA" => {
                            writer.write_all(b"354 go on\r\n").await.unwrap();
                            let mut text = String::new();
                            while let Ok(Some(line)) = lines.next_line().await {
                                if line == "." {
                                    break;
                                }
                                text.push_str(&line);
                                text.push('\n');
                            }
                            sender.send(format!("{envelope}\n{text}")).unwrap();
                            "250 taken"
                        }
                        "QUIT" => {
                            writer.write_all(b"221 bye\r\n").await.unwrap();
                            break;
                        }
                        _ => "250 well",
                    };
                    writer.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
                }
            });
        }
    });
    (address, taken)
}

fn by_smtp(address: String) -> AccountsConfig {
    AccountsConfig { mail: MailConfig { smtp: address, ..MailConfig::default() }, ..config() }
}

#[tokio::test]
async fn a_mail_server_gets_the_mail_with_both_its_texts() {
    let world = world().await;
    let (address, mut taken) = mail_server(&[]).await;
    let post = AccountsService::post(&by_smtp(address), world.folder.path()).unwrap();
    let mut delivery = Delivery::begin(&world, post);
    world.sign_up("ada@example.org").await;
    delivery.next().await.unwrap();
    let mail = taken.recv().await.unwrap();
    let parts =
        ["RCPT TO:<ada@example.org>", "From: Matinee <", "Subject: Confirm", "multipart/alternative", "text/html"];
    for part in parts {
        assert!(mail.contains(part), "{part}: {mail}");
    }
    assert_eq!(delivery.end().await, 0);
    assert!(!world.folder.path().join("mails").exists());
}

#[tokio::test]
async fn a_mail_server_that_is_busy_is_asked_again_later() {
    let world = world().await;
    let (address, mut taken) = mail_server(&["451 later", "535 who are you"]).await;
    let post = AccountsService::post(&by_smtp(address), world.folder.path()).unwrap();
    let mut delivery = Delivery::begin(&world, post);
    world.sign_up("ada@example.org").await;
    assert!(matches!(delivery.next().await, Err(MailError::Later(_))));
    world.later(MINUTE);
    assert!(matches!(delivery.next().await, Err(MailError::Later(_))), "a fault of the operator's is not the mail's");
    world.later(MINUTE);
    delivery.next().await.unwrap();
    assert!(taken.recv().await.unwrap().contains("ada@example.org"));
    assert_eq!(delivery.end().await, 0);
}

#[tokio::test]
async fn an_address_that_a_server_refuses_holds_up_no_others() {
    let world = world().await;
    let (address, mut taken) = mail_server(&["550 no such user"]).await;
    let post = AccountsService::post(&by_smtp(address), world.folder.path()).unwrap();
    let mut delivery = Delivery::begin(&world, post);
    world.sign_up("nobody@example.org").await;
    assert!(matches!(delivery.next().await, Err(MailError::Refused(_))));
    world.sign_up("ada@example.org").await;
    delivery.next().await.unwrap();
    assert!(taken.recv().await.unwrap().contains("ada@example.org"));
    world.later(DAY);
    assert_eq!(delivery.end().await, 0, "the refused one is forgotten");
}

#[tokio::test]
async fn signing_up_does_not_wait_for_a_mail_server_and_its_mail_has_its_time() {
    let world = world().await;
    // Nobody listens there.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("smtp://{}", listener.local_addr().unwrap());
    drop(listener);
    world.sign_up("ada@example.org").await;
    let post = AccountsService::post(&by_smtp(address), world.folder.path()).unwrap();
    let mut delivery = Delivery::begin(&world, post);
    assert!(matches!(delivery.next().await, Err(MailError::Later(_))));
    world.later(8 * DAY);
    // Given up without a try: its link is good no more.
    world.sign_up("bea@example.org").await;
    assert!(matches!(delivery.next().await, Err(MailError::Later(_))));
    assert_eq!(delivery.end().await, 0);
}
