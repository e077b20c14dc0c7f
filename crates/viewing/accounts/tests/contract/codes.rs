//! Signing in by code.

use matinee_contracts::accounts::device_code_reply::State;
use matinee_contracts::accounts::{
    ApproveDeviceCodeRequest, DeviceCode, DeviceCodeReply, DeviceCodeRequest, PollDeviceCodeRequest, SignedIn,
};
use tonic::{Code, Status};

use crate::world::{MINUTE, SECOND, World, account, world};

async fn start(world: &World) -> DeviceCode {
    let request = DeviceCodeRequest { device_name: "Living room".to_owned(), device_kind: "tv".to_owned() };
    world.client().start_device_code(request).await.unwrap().into_inner()
}

async fn poll(world: &World, code: &str) -> DeviceCodeReply {
    let request = PollDeviceCodeRequest { device_code: code.to_owned() };
    world.client().poll_device_code(request).await.unwrap().into_inner()
}

async fn state(world: &World, code: &DeviceCode) -> State {
    poll(world, &code.device_code).await.state()
}

fn approval(who: &SignedIn, code: &str) -> ApproveDeviceCodeRequest {
    let profile = who.profile.clone().unwrap().id;
    ApproveDeviceCodeRequest { account: account(who), profile, user_code: code.to_owned(), deny: false }
}

async fn approve(world: &World, request: ApproveDeviceCodeRequest) -> Result<(), Status> {
    world.client().approve_device_code(request).await.map(|_| ())
}

#[tokio::test]
async fn a_television_is_signed_in_by_the_code_it_shows() {
    let world = world().await;
    let ada = world.sign_up("ada@example.org").await;
    let code = start(&world).await;
    assert_eq!((code.expires_in_seconds, code.interval_seconds), (900, 5));
    assert_eq!(state(&world, &code).await, State::Pending);
    let typed = code.user_code.to_lowercase().replace('-', " ");
    approve(&world, approval(&ada, &typed)).await.unwrap();
    world.later(5 * SECOND);
    let reply = poll(&world, &code.device_code).await;
    assert_eq!(reply.state(), State::Approved);
    let tv = reply.signed_in.unwrap();
    assert_eq!(account(&tv), account(&ada));
    assert_eq!(tv.profile, ada.profile);
    assert_eq!(world.claims(&tv).device.as_str(), tv.device);
    assert_eq!(world.device_names(&ada).await, ["Living room", "Firefox on Linux"]);
    world.refresh(&tv.refresh_token).await.unwrap();
    // Once.
    assert_eq!(state(&world, &code).await, State::Expired);
    assert_eq!(approve(&world, approval(&ada, &code.user_code)).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn who_polls_too_often_is_slowed_down() {
    let world = world().await;
    let code = start(&world).await;
    assert_eq!(state(&world, &code).await, State::Pending);
    world.later(4 * SECOND);
    assert_eq!(state(&world, &code).await, State::SlowDown);
    world.later(5 * SECOND);
    assert_eq!(state(&world, &code).await, State::SlowDown, "ten seconds from here on, and now fifteen");
    world.later(6 * SECOND);
    assert_eq!(state(&world, &code).await, State::Pending);
    world.later(15 * SECOND);
    assert_eq!(state(&world, &code).await, State::Pending);
    for _ in 0..50 {
        assert_eq!(state(&world, &code).await, State::SlowDown);
    }
    world.later(MINUTE);
    assert_eq!(state(&world, &code).await, State::Pending, "a minute is the longest");
}

#[tokio::test]
async fn a_code_is_denied_or_has_its_time() {
    let world = world().await;
    let ada = world.sign_up("ada@example.org").await;
    let code = start(&world).await;
    let deny = ApproveDeviceCodeRequest { deny: true, ..approval(&ada, &code.user_code) };
    approve(&world, deny).await.unwrap();
    assert_eq!(approve(&world, approval(&ada, &code.user_code)).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(state(&world, &code).await, State::Denied);
    assert_eq!(state(&world, &code).await, State::Expired);
    let late = start(&world).await;
    world.later(15 * MINUTE);
    assert_eq!(approve(&world, approval(&ada, &late.user_code)).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(state(&world, &late).await, State::Expired);
    assert_eq!(world.service.sweep().await.unwrap(), 1);
}

#[tokio::test]
async fn an_approved_code_that_nobody_fetches_has_its_time_too() {
    let world = world().await;
    let ada = world.sign_up("ada@example.org").await;
    let code = start(&world).await;
    approve(&world, approval(&ada, &code.user_code)).await.unwrap();
    world.later(15 * MINUTE);
    assert_eq!(state(&world, &code).await, State::Expired);
}

#[tokio::test]
async fn of_two_polls_at_once_one_signs_in() {
    let world = world().await;
    let ada = world.sign_up("ada@example.org").await;
    let code = start(&world).await;
    approve(&world, approval(&ada, &code.user_code)).await.unwrap();
    let replies = futures::future::join_all((0..6).map(|_| poll(&world, &code.device_code))).await;
    let states: Vec<State> = replies.iter().map(DeviceCodeReply::state).collect();
    assert_eq!(states.iter().filter(|state| **state == State::Approved).count(), 1, "{states:?}");
    assert_eq!(world.device_names(&ada).await.len(), 2);
}

#[tokio::test]
async fn codes_can_not_be_guessed() {
    let world = world().await;
    let ada = world.sign_up("ada@example.org").await;
    let code = start(&world).await;
    let mut codes = Vec::new();
    for _ in 0..7 {
        codes.push(approve(&world, approval(&ada, "BBBB-BBBB")).await.unwrap_err().code());
    }
    assert_eq!(codes[4..], [Code::NotFound, Code::ResourceExhausted, Code::ResourceExhausted]);
    assert_eq!(approve(&world, approval(&ada, &code.user_code)).await.unwrap_err().code(), Code::ResourceExhausted);
    world.later(SECOND);
    approve(&world, approval(&ada, &code.user_code)).await.unwrap();
    for bad in ["", "x", "0000-0000", &"B".repeat(100_000)] {
        let refused = approve(&world, approval(&ada, bad)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().starts_with("user_code is refused"), "{}", refused.message());
        let polled = poll(&world, bad).await;
        assert_eq!((polled.state(), polled.signed_in), (State::Expired, None));
    }
}

#[tokio::test]
async fn nobody_approves_for_others_or_as_a_profile_of_others() {
    let world = world().await;
    let ada = world.sign_up("ada@example.org").await;
    let bea = world.sign_up("bea@example.org").await;
    let code = start(&world).await;
    let request = ApproveDeviceCodeRequest { account: account(&ada), ..approval(&bea, &code.user_code) };
    assert_eq!(approve(&world, request).await.unwrap_err().code(), Code::NotFound);
    let request = ApproveDeviceCodeRequest { account: "nobody".to_owned(), ..approval(&ada, &code.user_code) };
    assert_eq!(approve(&world, request).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(state(&world, &code).await, State::Pending);
}
