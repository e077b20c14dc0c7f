//! Devices, refresh tokens and profiles on them.

use matinee_accounts::AccountsConfig;
use matinee_contracts::accounts::{ChooseProfileRequest, DeviceRequest, Profile, PutProfileRequest, SignOutRequest};
use matinee_service::clock::Clock;
use tonic::Code;

use crate::world::{DAY, PASSWORD, SECOND, account, config, world, world_with};

#[tokio::test]
async fn a_refresh_token_renews_once_and_is_replaced() {
    let world = world().await;
    let first = world.sign_up("ada@example.org").await;
    world.later(1_000 * SECOND);
    let second = world.refresh(&first.refresh_token).await.unwrap();
    assert_eq!(second.device, first.device);
    assert_eq!(second.profile, first.profile);
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_eq!(second.refresh_expires_us, world.clock.now_us() + 30 * DAY);
    assert_eq!(world.claims(&second).iat, world.clock.now_seconds());
    let third = world.refresh(&second.refresh_token).await.unwrap();
    assert_ne!(third.refresh_token, second.refresh_token);
}

#[tokio::test]
async fn a_token_that_was_used_before_signs_its_device_out() {
    let world = world().await;
    let first = world.sign_up("ada@example.org").await;
    let other = world.sign_in("ada@example.org", PASSWORD).await.unwrap();
    let second = world.refresh(&first.refresh_token).await.unwrap();
    // A thief comes later with a copy of the first.
    world.later(60 * SECOND);
    let refused = world.refresh(&first.refresh_token).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(refused.message().contains("used before"), "{}", refused.message());
    // Neither the thief nor the owner goes on; other devices do.
    assert_eq!(world.refresh(&second.refresh_token).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(world.device_names(&first).await, ["Safari on iPad"]);
    world.refresh(&other.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_client_that_sends_the_same_token_twice_stays_signed_in() {
    let world = world().await;
    let first = world.sign_up("ada@example.org").await;
    let all = (0..8).map(|_| world.refresh(&first.refresh_token));
    let renewed: Vec<_> = futures::future::join_all(all).await.into_iter().map(Result::unwrap).collect();
    let second = &renewed[0].refresh_token;
    assert!(renewed.iter().all(|one| one.refresh_token == *second), "each hears of the same successor");
    world.later(9 * SECOND);
    assert_eq!(world.refresh(&first.refresh_token).await.unwrap().refresh_token, *second, "a reply that was lost");
    let third = world.refresh(second).await.unwrap();
    assert_ne!(third.refresh_token, *second);
    // The one before the last is no accident any more, not even at once.
    assert_eq!(world.refresh(&first.refresh_token).await.unwrap_err().code(), Code::Unauthenticated);
    assert!(world.device_names(&first).await.is_empty());
}

#[tokio::test]
async fn a_device_that_is_not_used_is_signed_out_after_a_month() {
    let world = world().await;
    let first = world.sign_up("ada@example.org").await;
    let used = world.sign_in("ada@example.org", PASSWORD).await.unwrap();
    world.later(29 * DAY);
    let used = world.refresh(&used.refresh_token).await.unwrap();
    world.later(DAY);
    let refused = world.refresh(&first.refresh_token).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(refused.message().contains("expired"), "{}", refused.message());
    world.service.sweep().await.unwrap();
    assert_eq!(world.device_names(&first).await, ["Safari on iPad"]);
    world.refresh(&used.refresh_token).await.unwrap();
}

#[tokio::test]
async fn tokens_that_are_none_of_ours_are_refused_and_sign_nobody_out() {
    let world = world().await;
    let first = world.sign_up("ada@example.org").await;
    let mut other_family = first.refresh_token.clone();
    other_family.replace_range(0..1, if other_family.starts_with('A') { "B" } else { "A" });
    for bad in ["", "x", &first.access_token, &other_family, &"A".repeat(64), &"A".repeat(1_000_000), "é\0"] {
        assert_eq!(world.refresh(bad).await.unwrap_err().code(), Code::Unauthenticated);
        let request = SignOutRequest { refresh_token: bad.to_owned() };
        world.client().sign_out(request).await.unwrap();
    }
    world.refresh(&first.refresh_token).await.unwrap();
}

#[tokio::test]
async fn signing_out_ends_the_refresh_token() {
    let world = world().await;
    let first = world.sign_up("ada@example.org").await;
    let request = SignOutRequest { refresh_token: first.refresh_token.clone() };
    world.client().sign_out(request.clone()).await.unwrap();
    world.client().sign_out(request).await.unwrap();
    assert_eq!(world.refresh(&first.refresh_token).await.unwrap_err().code(), Code::Unauthenticated);
    assert!(world.device_names(&first).await.is_empty());
}

#[tokio::test]
async fn devices_are_listed_and_signed_out_from_each_other_but_not_by_others() {
    let world = world().await;
    let first = world.sign_up("ada@example.org").await;
    world.later(SECOND);
    let second = world.sign_in("ada@example.org", PASSWORD).await.unwrap();
    let bea = world.sign_up("bea@example.org").await;
    let devices = world.client().list_devices(world.of(&first)).await.unwrap().into_inner().devices;
    let seen: Vec<_> = devices.iter().map(|d| (d.name.as_str(), d.kind.as_str(), d.id.as_str())).collect();
    let expected =
        [("Safari on iPad", "mobile", second.device.as_str()), ("Firefox on Linux", "web", first.device.as_str())];
    assert_eq!(seen, expected);
    let of = |account: String, device: &str| DeviceRequest { account, device: device.to_owned() };
    world.client().sign_out_device(of(account(&bea), &first.device)).await.unwrap();
    world.refresh(&first.refresh_token).await.unwrap();
    world.client().sign_out_device(of(account(&first), &second.device)).await.unwrap();
    assert_eq!(world.refresh(&second.refresh_token).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn of_too_many_devices_the_one_that_was_not_seen_for_the_longest_makes_room() {
    let world = world_with(AccountsConfig { devices: 3, ..config() }).await;
    let first = world.sign_up("ada@example.org").await;
    let mut others = Vec::new();
    for _ in 0..2 {
        world.later(SECOND);
        others.push(world.sign_in("ada@example.org", PASSWORD).await.unwrap());
    }
    world.later(SECOND);
    let first = world.refresh(&first.refresh_token).await.unwrap();
    world.later(SECOND);
    world.sign_in("ada@example.org", PASSWORD).await.unwrap();
    assert_eq!(world.device_names(&first).await.len(), 3);
    assert_eq!(world.refresh(&others[0].refresh_token).await.unwrap_err().code(), Code::Unauthenticated);
    world.refresh(&first.refresh_token).await.unwrap();
}

#[tokio::test]
async fn another_profile_is_in_the_new_tokens_and_stays() {
    let world = world().await;
    let first = world.sign_up("ada@example.org").await;
    let profile = Profile { name: "Kim".to_owned(), kids: true, audio_language: "fr".to_owned(), ..Profile::default() };
    let request = PutProfileRequest { account: account(&first), profile: Some(profile) };
    let kim = world.client().put_profile(request).await.unwrap().into_inner();
    let choose = |profile: &str, device: &str| ChooseProfileRequest {
        account: account(&first),
        device: device.to_owned(),
        profile: profile.to_owned(),
    };
    let chosen = world.client().choose_profile(choose(&kim.id, &first.device)).await.unwrap().into_inner();
    let claims = world.claims(&chosen);
    assert_eq!(claims.profile.map(String::from), Some(kim.id.clone()));
    assert_eq!((claims.maturity_limit, claims.languages), (12, vec!["de".to_owned(), "fr".to_owned()]));
    // The old token is not a thief's for a moment, and nobody's afterwards.
    assert_eq!(world.refresh(&first.refresh_token).await.unwrap_err().code(), Code::Aborted);
    world.later(11 * SECOND);
    assert_eq!(world.refresh(&first.refresh_token).await.unwrap_err().code(), Code::Unauthenticated);
    let renewed = world.refresh(&chosen.refresh_token).await.unwrap();
    assert_eq!(renewed.profile, Some(kim.clone()));
    // With two profiles, a device that signs in has none yet.
    let other = world.sign_in("ada@example.org", PASSWORD).await.unwrap();
    assert_eq!((other.profile, world.claims(&renewed).maturity_limit), (None, 12));
    let unknown = world.client().choose_profile(choose("nobody", &first.device)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let unknown = world.client().choose_profile(choose(&kim.id, "nothing")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}
