//! Confirming an address, and passwords that are forgotten or changed.

use matinee_contracts::accounts::{
    ChangePasswordRequest, PasswordResetRequest, ResetPasswordRequest, SignedIn, VerifyEmailRequest,
};
use tonic::{Code, Status};

use crate::world::{DAY, HOUR, MINUTE, PASSWORD, SECOND, World, account, token, world};

const OTHER: &str = "another horse entirely";

async fn verify(world: &World, token: &str) -> Result<(), Status> {
    world.client().verify_email(VerifyEmailRequest { token: token.to_owned() }).await.map(|_| ())
}

async fn forgot(world: &World, email: &str) -> Result<(), Status> {
    world.client().request_password_reset(PasswordResetRequest { email: email.to_owned() }).await.map(|_| ())
}

async fn reset(world: &World, token: &str, password: &str) -> Result<(), Status> {
    let request = ResetPasswordRequest { token: token.to_owned(), password: password.to_owned() };
    world.client().reset_password(request).await.map(|_| ())
}

async fn verified(world: &World, who: &SignedIn) -> bool {
    world.client().get_account(world.of(who)).await.unwrap().into_inner().email_verified
}

#[tokio::test]
async fn a_new_viewer_confirms_the_address_by_mail_once() {
    let world = world().await;
    let new = world.sign_up("Ada@example.org").await;
    let mut mailbox = world.mailbox();
    let mail = mailbox.next().await;
    assert_eq!((mail.to.as_str(), mail.account.as_str()), ("Ada@example.org", account(&new).as_str()));
    assert!(mail.text.contains("https://films.example/verify?token="), "{}", mail.text);
    assert!(mail.html.contains("https://films.example/verify?token="), "{}", mail.html);
    assert!(!verified(&world, &new).await);
    verify(&world, &token(&mail)).await.unwrap();
    assert!(verified(&world, &new).await);
    assert_eq!(verify(&world, &token(&mail)).await.unwrap_err().code(), Code::NotFound, "single use");
    // Nothing to send any more.
    world.later(HOUR);
    world.client().resend_verification(world.of(&new)).await.unwrap();
    assert!(mailbox.end().await.is_empty());
}

#[tokio::test]
async fn the_link_is_sent_again_but_not_at_any_rate() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let mut mailbox = world.mailbox();
    let first = mailbox.next().await;
    for _ in 0..5 {
        world.client().resend_verification(world.of(&new)).await.unwrap();
    }
    world.later(MINUTE);
    world.client().resend_verification(world.of(&new)).await.unwrap();
    let second = mailbox.next().await;
    assert_ne!(token(&first), token(&second));
    assert!(mailbox.end().await.is_empty());
    verify(&world, &token(&first)).await.unwrap();
    assert_eq!(verify(&world, &token(&second)).await.unwrap_err().code(), Code::NotFound, "one was enough");
}

#[tokio::test]
async fn a_link_has_its_time() {
    let world = world().await;
    world.sign_up("ada@example.org").await;
    let mut mailbox = world.mailbox();
    let mail = mailbox.next().await;
    world.later(7 * DAY);
    assert_eq!(verify(&world, &token(&mail)).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_mail_and_every_device_signed_out() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let mut mailbox = world.mailbox();
    let confirm = mailbox.next().await;
    forgot(&world, "ADA@example.org").await.unwrap();
    let mail = mailbox.next().await;
    assert!(mail.text.contains("https://films.example/reset-password?token="), "{}", mail.text);
    assert_eq!(verify(&world, &token(&mail)).await.unwrap_err().code(), Code::NotFound, "a link is for one purpose");
    assert_eq!(reset(&world, &token(&confirm), OTHER).await.unwrap_err().code(), Code::NotFound);
    let weak = reset(&world, &token(&mail), "password").await.unwrap_err();
    assert_eq!(weak.code(), Code::InvalidArgument, "and the link stays good");
    reset(&world, &token(&mail), OTHER).await.unwrap();
    assert_eq!(reset(&world, &token(&mail), OTHER).await.unwrap_err().code(), Code::NotFound, "single use");
    assert!(mailbox.next().await.subject.contains("was changed"));
    assert_eq!(world.refresh(&new.refresh_token).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(world.sign_in("ada@example.org", PASSWORD).await.unwrap_err().code(), Code::Unauthenticated);
    world.sign_in("ada@example.org", OTHER).await.unwrap();
    assert!(verified(&world, &new).await, "who reads the mail owns the address");
}

#[tokio::test]
async fn a_link_for_a_new_password_is_good_for_an_hour() {
    let world = world().await;
    world.sign_up("ada@example.org").await;
    let mut mailbox = world.mailbox();
    mailbox.next().await;
    forgot(&world, "ada@example.org").await.unwrap();
    let mail = mailbox.next().await;
    world.later(HOUR);
    assert_eq!(reset(&world, &token(&mail), OTHER).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn who_asks_for_an_unknown_address_hears_the_same_and_no_mail_goes_out() {
    let world = world().await;
    let mut mailbox = world.mailbox();
    forgot(&world, "nobody@example.org").await.unwrap();
    world.sign_up("ada@example.org").await;
    mailbox.next().await;
    forgot(&world, "ada@example.org").await.unwrap();
    let mail = mailbox.next().await;
    assert_eq!(mail.to.as_str(), "ada@example.org");
    assert!(mailbox.end().await.is_empty());
}

#[tokio::test]
async fn a_new_password_ends_the_links_that_were_sent_before() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let mut mailbox = world.mailbox();
    mailbox.next().await;
    forgot(&world, "ada@example.org").await.unwrap();
    let mail = mailbox.next().await;
    let request = ChangePasswordRequest {
        account: account(&new),
        device: new.device.clone(),
        current: PASSWORD.to_owned(),
        password: OTHER.to_owned(),
    };
    world.client().change_password(request).await.unwrap();
    assert_eq!(reset(&world, &token(&mail), PASSWORD).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_and_other_devices_are_signed_out() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let other = world.sign_in("ada@example.org", PASSWORD).await.unwrap();
    let request = |current: &str, password: &str| ChangePasswordRequest {
        account: account(&new),
        device: new.device.clone(),
        current: current.to_owned(),
        password: password.to_owned(),
    };
    let wrong = world.client().change_password(request("wrong horse battery", OTHER)).await.unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidArgument);
    assert!(wrong.message().starts_with("current is refused"), "{}", wrong.message());
    let weak = world.client().change_password(request(PASSWORD, "12345678")).await.unwrap_err();
    assert!(weak.message().starts_with("password is refused"), "{}", weak.message());
    world.client().change_password(request(PASSWORD, OTHER)).await.unwrap();
    assert_eq!(world.refresh(&other.refresh_token).await.unwrap_err().code(), Code::Unauthenticated);
    world.refresh(&new.refresh_token).await.unwrap();
    world.sign_in("ada@example.org", OTHER).await.unwrap();
    assert_eq!(world.sign_in("ada@example.org", PASSWORD).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_stolen_session_can_not_guess_the_password() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let mut codes = Vec::new();
    for i in 0..7 {
        let request = ChangePasswordRequest {
            account: account(&new),
            device: new.device.clone(),
            current: format!("wrong horse {i}"),
            password: OTHER.to_owned(),
        };
        codes.push(world.client().change_password(request).await.unwrap_err().code());
    }
    assert_eq!(codes[4..], [Code::InvalidArgument, Code::ResourceExhausted, Code::ResourceExhausted]);
}

#[tokio::test]
async fn requests_for_a_new_password_have_a_rate() {
    let world = world().await;
    let mut refused = 0;
    for i in 0..600 {
        if let Err(status) = forgot(&world, &format!("nobody{i}@example.org")).await {
            assert_eq!(status.code(), Code::ResourceExhausted);
            refused += 1;
        }
    }
    assert_eq!(refused, 100);
    world.later(SECOND);
    forgot(&world, "ada@example.org").await.unwrap();
}
