//! What others hear of accounts.

use matinee_accounts::announce::TOPIC;
use matinee_contracts::accounts::{DeleteRequest, Profile, ProfileRequest, PutProfileRequest};
use matinee_contracts::events::account_changed::What;
use matinee_contracts::events::{AccountChanged, AccountDeleted, AccountMade, ProfileDeleted};
use matinee_engines::events::{self, EventLogConfig, Events};
use prost::Message;
use tokio_util::sync::CancellationToken;

use crate::world::{PASSWORD, SOON, account, config, opened, world};

async fn heard(log: &Events, count: usize) -> Vec<(String, What)> {
    let read = async {
        loop {
            let events = log.read(TOPIC, 0, 100).await.unwrap();
            if events.len() >= count {
                return events;
            }
            log.wait(TOPIC, events.len() as u64).await.unwrap();
        }
    };
    let events = tokio::time::timeout(SOON, read).await.expect("the events should be there by now");
    let decoded = events.into_iter().map(|event| {
        let changed = AccountChanged::decode(event.payload).unwrap();
        assert_eq!(event.key, changed.account);
        assert!(changed.at_us > 0);
        (changed.account, changed.what.unwrap())
    });
    decoded.collect()
}

#[tokio::test]
async fn what_happened_is_told_in_order_and_none_is_lost_by_a_restart() {
    let world = world().await;
    let log = events::open(&world.folder.path().join("events"), EventLogConfig::default()).await.unwrap();
    let ada = world.sign_up("ada@example.org").await;
    let profile = Profile { name: "Kim".to_owned(), ..Profile::default() };
    let request = PutProfileRequest { account: account(&ada), profile: Some(profile) };
    let kim = world.client().put_profile(request).await.unwrap().into_inner();
    let own = ada.profile.clone().unwrap().id;
    let request = ProfileRequest { account: account(&ada), profile: own.clone() };
    world.client().delete_profile(request).await.unwrap();
    // Nobody announced so far: the process is stopped here and another one goes on.
    let service = opened(&world.folder, &world.access, config(), &world.clock).await;
    let stop = CancellationToken::new();
    let (announcer, events, shutdown) = (service.clone(), log.clone(), stop.clone());
    let announcing = tokio::spawn(async move { announcer.announce(events, shutdown).await });
    let made = (account(&ada), What::Made(AccountMade { territory: "DE".to_owned() }));
    let profile_deleted = (account(&ada), What::ProfileDeleted(ProfileDeleted { profile: own }));
    assert_eq!(heard(&log, 2).await, [made.clone(), profile_deleted.clone()]);
    // And while it runs.
    let request = DeleteRequest { account: account(&ada), password: PASSWORD.to_owned() };
    world.client().delete(request).await.unwrap();
    let deleted = (account(&ada), What::Deleted(AccountDeleted { profiles: vec![kim.id] }));
    assert_eq!(heard(&log, 3).await, [made, profile_deleted, deleted]);
    stop.cancel();
    tokio::time::timeout(SOON, announcing).await.unwrap().unwrap();
}
