//! What nobody should send.

use matinee_contracts::accounts::{
    AccountRequest, ApproveDeviceCodeRequest, ChooseProfileRequest, DeleteRequest, DeviceCodeRequest, DeviceRequest,
    FinishOpenIdRequest, ListAccountsRequest, Profile, ProfileRequest, PutProfileRequest, ResetPasswordRequest,
    SetRolesRequest, SignInRequest, SignUpRequest, UpdateAccountRequest, VerifyEmailRequest,
};
use tonic::{Code, Status};

use crate::world::{PASSWORD, account, sign_up_request, world};

/// Texts that mean something to somebody.
const NASTY: [&str; 14] = [
    "' OR '1'='1",
    "'; DROP TABLE account; --",
    "\" OR \"\"=\"",
    "$1",
    "%",
    "../../etc/passwd",
    "\0",
    "a\0b",
    "\r\nBcc: all@example.org",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "\u{202e}gro.elpmaxe@ada",
    "\u{feff}",
    "𝓪𝓭𝓪@example.org",
];

fn refused<T: std::fmt::Debug>(result: Result<T, Status>, field: &str, text: &str) {
    let status = result.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{field} {text:?}: {status}");
    assert!(status.message().starts_with(&format!("{field} is refused: ")), "{field} {text:?}: {}", status.message());
    assert!(status.message().len() < 400, "no echo of what was sent: {}", status.message().len());
}

#[tokio::test]
async fn every_refused_field_is_named() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let long = "x".repeat(1_000_000);
    for text in NASTY.into_iter().chain([long.as_str()]) {
        let text = text.to_owned();
        let request = SignUpRequest { email: text.clone(), ..sign_up_request("") };
        refused(world.client().sign_up(request).await, "email", &text);
        let request = SignInRequest { email: text.clone(), password: PASSWORD.to_owned(), ..SignInRequest::default() };
        refused(world.client().sign_in(request).await, "email", &text);
        let request = SignUpRequest { territory: text.clone(), ..sign_up_request("bea@example.org") };
        refused(world.client().sign_up(request).await, "territory", &text);
        let request = SignUpRequest { language: text.clone(), ..sign_up_request("bea@example.org") };
        refused(world.client().sign_up(request).await, "language", &text);
        let request = SignUpRequest { device_kind: text.clone(), ..sign_up_request("bea@example.org") };
        refused(world.client().sign_up(request).await, "device_kind", &text);
        let request = AccountRequest { account: text.clone() };
        refused(world.client().get_account(request.clone()).await, "account", &text);
        refused(world.client().list_profiles(request.clone()).await, "account", &text);
        refused(world.client().list_devices(request.clone()).await, "account", &text);
        refused(world.client().resend_verification(request.clone()).await, "account", &text);
        refused(world.client().export(request).await, "account", &text);
        let request = UpdateAccountRequest { account: account(&new), territory: text.clone(), language: String::new() };
        refused(world.client().update_account(request).await, "territory", &text);
        let request = SetRolesRequest { account: account(&new), roles: vec![text.clone()] };
        refused(world.client().set_roles(request).await, "roles", &text);
        let request = DeleteRequest { account: text.clone(), password: PASSWORD.to_owned() };
        refused(world.client().delete(request).await, "account", &text);
        let request = DeviceRequest { account: account(&new), device: text.clone() };
        refused(world.client().sign_out_device(request).await, "device", &text);
        let request = ProfileRequest { account: account(&new), profile: text.clone() };
        refused(world.client().delete_profile(request).await, "profile", &text);
        let request = ChooseProfileRequest { account: account(&new), device: text.clone(), profile: "p".to_owned() };
        refused(world.client().choose_profile(request).await, "device", &text);
        let words = Profile { name: "Kim".to_owned(), ..Profile::default() };
        for (field, profile) in [
            ("profile.id", Profile { id: text.clone(), ..words.clone() }),
            ("profile.avatar", Profile { avatar: text.clone(), ..words.clone() }),
            ("profile.language", Profile { language: text.clone(), ..words.clone() }),
            ("profile.audio_language", Profile { audio_language: text.clone(), ..words.clone() }),
            ("profile.subtitle_language", Profile { subtitle_language: text.clone(), ..words.clone() }),
        ] {
            let request = PutProfileRequest { account: account(&new), profile: Some(profile) };
            refused(world.client().put_profile(request).await, field, &text);
        }
        let request = ApproveDeviceCodeRequest {
            account: account(&new),
            profile: text.clone(),
            user_code: "BBBB-BBBB".to_owned(),
            deny: false,
        };
        refused(world.client().approve_device_code(request).await, "profile", &text);
        let request = DeviceCodeRequest { device_name: String::new(), device_kind: text.clone() };
        refused(world.client().start_device_code(request).await, "device_kind", &text);
    }
    let missing = PutProfileRequest { account: account(&new), profile: None };
    refused(world.client().put_profile(missing).await, "profile", "none");
    let longer = Profile { name: long.clone(), ..Profile::default() };
    let request = PutProfileRequest { account: account(&new), profile: Some(longer) };
    refused(world.client().put_profile(request).await, "profile.name", "long");
    for (field, request) in [
        ("password", SignUpRequest { password: long.clone(), ..sign_up_request("bea@example.org") }),
        ("password", SignUpRequest { password: "password1".to_owned(), ..sign_up_request("bea@example.org") }),
        ("password", SignUpRequest { password: "bea@example.org".to_owned(), ..sign_up_request("bea@example.org") }),
        ("name", SignUpRequest { name: long.clone(), ..sign_up_request("bea@example.org") }),
        ("name", SignUpRequest { name: "a\nb".to_owned(), ..sign_up_request("bea@example.org") }),
        ("device_name", SignUpRequest { device_name: long.clone(), ..sign_up_request("bea@example.org") }),
    ] {
        refused(world.client().sign_up(request).await, field, "");
    }
    let request = SignInRequest { email: "ada@example.org".to_owned(), password: long, ..SignInRequest::default() };
    refused(world.client().sign_in(request).await, "password", "long");
}

#[tokio::test]
async fn texts_that_mean_something_to_a_database_are_only_texts() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    for text in
        ["' OR '1'='1", "'; DROP TABLE account; --", "Robert'); DROP TABLE profile;--", "<b>Kim</b>", "$1 %s {}"]
    {
        let words = Profile { name: text.to_owned(), ..Profile::default() };
        let request = PutProfileRequest { account: account(&new), profile: Some(words) };
        let kept = world.client().put_profile(request).await.unwrap().into_inner();
        assert_eq!(kept.name, text);
        let request = ProfileRequest { account: account(&new), profile: kept.id };
        world.client().delete_profile(request).await.unwrap();
        let request = SignInRequest {
            email: "ada@example.org".to_owned(),
            password: format!("{text} and longer"),
            ..SignInRequest::default()
        };
        let status = world.client().sign_in(request).await.unwrap_err();
        assert!(matches!(status.code(), Code::Unauthenticated | Code::ResourceExhausted), "{status}");
        let request = ListAccountsRequest { email_prefix: text.replace(' ', ""), ..ListAccountsRequest::default() };
        assert!(world.client().list_accounts(request).await.unwrap().into_inner().accounts.is_empty());
    }
    // An address may have a quotation mark.
    world.sign_up("o'brien'--@example.org").await;
    world.sign_in("O'Brien'--@example.org", PASSWORD).await.unwrap();
    world.client().get_account(world.of(&new)).await.unwrap();
}

#[tokio::test]
async fn secrets_that_are_none_open_nothing() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    let long = "A".repeat(1_000_000);
    let like = "A".repeat(43);
    for text in NASTY.into_iter().chain(["", &new.access_token, &new.refresh_token, &like, &long]) {
        let verify = VerifyEmailRequest { token: text.to_owned() };
        assert_eq!(world.client().verify_email(verify).await.unwrap_err().code(), Code::NotFound);
        let reset = ResetPasswordRequest { token: text.to_owned(), password: PASSWORD.to_owned() };
        assert_eq!(world.client().reset_password(reset).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(
            world.refresh(text).await.err().map(|e| e.code()),
            match text == new.refresh_token {
                true => None,
                false => Some(Code::Unauthenticated),
            }
        );
        let finish =
            FinishOpenIdRequest { state: text.to_owned(), code: "c".to_owned(), ..FinishOpenIdRequest::default() };
        assert_eq!(world.client().finish_open_id(finish).await.unwrap_err().code(), Code::Unauthenticated);
    }
}

#[tokio::test]
async fn a_clock_that_jumps_locks_nobody_out_for_good() {
    let world = world().await;
    let new = world.sign_up("ada@example.org").await;
    for _ in 0..8 {
        world.sign_in("ada@example.org", "wrong horse battery").await.unwrap_err();
    }
    world.later(-5 * crate::world::HOUR);
    world.sign_in("ada@example.org", PASSWORD).await.unwrap();
    let renewed = world.refresh(&new.refresh_token).await.unwrap();
    world.later(10 * crate::world::HOUR);
    let renewed = world.refresh(&renewed.refresh_token).await.unwrap();
    assert_eq!(world.claims(&renewed).account.as_str(), account(&new));
}
