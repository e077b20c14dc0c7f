//! What each service answers when all is well.

use matinee_contracts::accounts::accounts_server::Accounts;
use matinee_contracts::accounts::{self, Account, Profile, SignedIn, device_code_reply};
use matinee_contracts::billing::billing_server::Billing;
use matinee_contracts::billing::{self, Money, Subscription, SubscriptionState};
use matinee_contracts::catalog::catalog_server::Catalog;
use matinee_contracts::catalog::{self, Artwork, ArtworkFile, Title};
use matinee_contracts::history::history_server::History;
use matinee_contracts::history::{self, Watched};
use matinee_contracts::ingest;
use matinee_contracts::ingest::ingest_server::Ingest;
use matinee_contracts::playback;
use matinee_contracts::playback::playback_server::Playback;
use matinee_contracts::ratings::ratings_server::Ratings;
use matinee_contracts::ratings::{self, Opinion};
use matinee_contracts::recommend::recommend_server::Recommend;
use matinee_contracts::recommend::{self, Model};
use matinee_contracts::search;
use matinee_contracts::search::search_server::Search;
use matinee_contracts::telemetry;
use matinee_contracts::telemetry::telemetry_server::Telemetry;
use matinee_contracts::traces;
use matinee_contracts::traces::traces_server::Traces;
use matinee_contracts::workflow;
use matinee_contracts::workflow::workflow_server::Workflow;
use tonic::{Request, Response, Status};

use super::{Fake, NOW};

/// A service: each call, what it takes, and what it answers.
macro_rules! plays {
    ($service:ident { $($call:ident($asked:ty) -> $answer:ty = $how:expr;)* }) => {
        #[tonic::async_trait]
        impl $service for Fake {
            $(async fn $call(&self, asked: Request<$asked>) -> Result<Response<$answer>, Status> {
                let asked = asked.into_inner();
                self.met(concat!(stringify!($service), ".", stringify!($call)), &asked).await?;
                let how: fn($asked) -> $answer = $how;
                Ok(Response::new(how(asked)))
            })*
        }
    };
}

fn account() -> Account {
    Account {
        id: "a1".to_owned(),
        email: "ada@example.org".to_owned(),
        territory: "AT".to_owned(),
        ..Account::default()
    }
}

fn profile() -> Profile {
    Profile { id: "p1".to_owned(), name: "Ada".to_owned(), ..Profile::default() }
}

fn signed_in() -> SignedIn {
    SignedIn {
        account: Some(account()),
        access_token: "access.token.text".to_owned(),
        access_expires_us: (NOW as i64 + 900) * 1_000_000,
        refresh_token: "refresh-token".to_owned(),
        refresh_expires_us: (NOW as i64 + 2_592_000) * 1_000_000,
        device: "d1".to_owned(),
        profile: Some(profile()),
    }
}

fn done<T>(_: T) -> accounts::Done {
    accounts::Done {}
}

plays!(Accounts {
    sign_up(accounts::SignUpRequest) -> SignedIn = |_| signed_in();
    sign_in(accounts::SignInRequest) -> SignedIn = |_| signed_in();
    refresh(accounts::RefreshRequest) -> SignedIn = |_| signed_in();
    choose_profile(accounts::ChooseProfileRequest) -> SignedIn = |_| signed_in();
    sign_out(accounts::SignOutRequest) -> accounts::Done = done;
    verify_email(accounts::VerifyEmailRequest) -> accounts::Done = done;
    resend_verification(accounts::AccountRequest) -> accounts::Done = done;
    request_password_reset(accounts::PasswordResetRequest) -> accounts::Done = done;
    reset_password(accounts::ResetPasswordRequest) -> accounts::Done = done;
    change_password(accounts::ChangePasswordRequest) -> accounts::Done = done;
    get_account(accounts::AccountRequest) -> Account = |_| account();
    update_account(accounts::UpdateAccountRequest) -> Account = |asked| Account { territory: asked.territory, ..account() };
    list_accounts(accounts::ListAccountsRequest) -> accounts::ListAccountsReply =
        |_| accounts::ListAccountsReply { accounts: vec![account()] };
    set_roles(accounts::SetRolesRequest) -> Account = |asked| Account { roles: asked.roles, ..account() };
    list_profiles(accounts::AccountRequest) -> accounts::ListProfilesReply =
        |_| accounts::ListProfilesReply { profiles: vec![profile()] };
    put_profile(accounts::PutProfileRequest) -> Profile = |asked| asked.profile.unwrap_or_default();
    delete_profile(accounts::ProfileRequest) -> accounts::Done = done;
    list_devices(accounts::AccountRequest) -> accounts::ListDevicesReply = |_| accounts::ListDevicesReply {
        devices: vec![accounts::Device { id: "d1".to_owned(), kind: "web".to_owned(), ..accounts::Device::default() }],
    };
    sign_out_device(accounts::DeviceRequest) -> accounts::Done = done;
    start_device_code(accounts::DeviceCodeRequest) -> accounts::DeviceCode = |_| accounts::DeviceCode {
        device_code: "long".to_owned(),
        user_code: "WDJB-MJHT".to_owned(),
        expires_in_seconds: 900,
        interval_seconds: 5,
    };
    approve_device_code(accounts::ApproveDeviceCodeRequest) -> accounts::Done = done;
    poll_device_code(accounts::PollDeviceCodeRequest) -> accounts::DeviceCodeReply = |asked| {
        use device_code_reply::State;
        let state = match asked.device_code.as_str() {
            "approved" => State::Approved,
            "slow" => State::SlowDown,
            "denied" => State::Denied,
            "expired" => State::Expired,
            _ => State::Pending,
        };
        let signed_in = (state == State::Approved).then(signed_in);
        accounts::DeviceCodeReply { state: state.into(), signed_in }
    };
    list_providers(accounts::ListProvidersRequest) -> accounts::ListProvidersReply = |_| accounts::ListProvidersReply {
        providers: vec![accounts::Provider { name: "campus".to_owned(), label: "Campus".to_owned() }],
    };
    start_open_id(accounts::StartOpenIdRequest) -> accounts::StartOpenIdReply = |_| accounts::StartOpenIdReply {
        url: "https://id.example/authorize?state=s".to_owned(),
        binding: "bound".to_owned(),
    };
    finish_open_id(accounts::FinishOpenIdRequest) -> SignedIn = |_| signed_in();
    export(accounts::AccountRequest) -> accounts::ExportReply =
        |_| accounts::ExportReply { json: br#"{"email":"ada@example.org"}"#.to_vec() };
    delete(accounts::DeleteRequest) -> accounts::Done = done;
});

fn subscription() -> Subscription {
    Subscription {
        id: "sub1".to_owned(),
        plan: "standard".to_owned(),
        state: SubscriptionState::Active.into(),
        price: Some(Money { minor: 999, currency: "EUR".to_owned() }),
        period_end_us: NOW as i64 * 1_000_000,
        ..Subscription::default()
    }
}

fn plan() -> billing::Plan {
    let price = |territory: &str, minor| billing::Price {
        territory: territory.to_owned(),
        amount: Some(Money { minor, currency: "EUR".to_owned() }),
    };
    billing::Plan {
        id: "standard".to_owned(),
        prices: vec![price("*", 999), price("AT", 899)],
        ..billing::Plan::default()
    }
}

fn invoice() -> billing::Invoice {
    billing::Invoice { id: "i1".to_owned(), number: "2026-000001".to_owned(), ..billing::Invoice::default() }
}

plays!(Billing {
    list_plans(billing::ListPlansRequest) -> billing::ListPlansReply = |_| billing::ListPlansReply { plans: vec![plan()] };
    put_plan(billing::PutPlanRequest) -> billing::Plan = |asked| asked.plan.unwrap_or_default();
    get_subscription(billing::AccountRequest) -> Subscription = |_| subscription();
    subscribe(billing::SubscribeRequest) -> Subscription = |_| subscription();
    change_plan(billing::ChangePlanRequest) -> Subscription = |_| subscription();
    preview_change(billing::ChangePlanRequest) -> billing::ChangePreview = |_| billing::ChangePreview::default();
    cancel(billing::CancelRequest) -> Subscription = |_| subscription();
    resume(billing::AccountRequest) -> Subscription = |_| subscription();
    open_payment_form(billing::AccountRequest) -> billing::PaymentForm =
        |_| billing::PaymentForm { provider: "test".to_owned(), ..billing::PaymentForm::default() };
    set_payment_method(billing::SetPaymentMethodRequest) -> billing::PaymentMethod =
        |_| billing::PaymentMethod { label: "Visa ending in 4242".to_owned(), ..billing::PaymentMethod::default() };
    list_invoices(billing::AccountRequest) -> billing::ListInvoicesReply =
        |_| billing::ListInvoicesReply { invoices: vec![invoice()] };
    render_invoice(billing::InvoiceRequest) -> billing::RenderedInvoice =
        |_| billing::RenderedInvoice { html: "<h1>2026-000001</h1>".to_owned() };
    refund(billing::RefundRequest) -> billing::Invoice = |_| invoice();
    ledger(billing::LedgerRequest) -> billing::LedgerReply = |_| billing::LedgerReply::default();
    webhook(billing::WebhookRequest) -> billing::WebhookReply = |_| billing::WebhookReply { repeated_event: true };
    export(billing::AccountRequest) -> billing::ExportReply = |_| billing::ExportReply { json: b"{\"invoices\":[]}".to_vec() };
});

pub fn title(id: String) -> Title {
    let file = |format: &str, width| ArtworkFile {
        object: format!("artwork/{format}-{width}"),
        format: format.to_owned(),
        width,
        ..ArtworkFile::default()
    };
    let poster = Artwork {
        kind: "poster".to_owned(),
        blake3: "0123456789abcdef0123".to_owned(),
        files: vec![file("jpeg", 342), file("avif", 342), file("jpeg", 780)],
        ..Artwork::default()
    };
    Title {
        id,
        name: "Metropolis".to_owned(),
        version: "v1".to_owned(),
        artwork: "frames/metropolis".to_owned(),
        artworks: vec![poster],
        revision: 3,
        ..Title::default()
    }
}

plays!(Catalog {
    get_title(catalog::GetTitleRequest) -> Title = |asked| title(asked.id);
    get_titles(catalog::GetTitlesRequest) -> catalog::ListTitlesReply =
        |asked| catalog::ListTitlesReply { titles: asked.ids.into_iter().map(title).collect() };
    list_titles(catalog::ListTitlesRequest) -> catalog::ListTitlesReply =
        |_| catalog::ListTitlesReply { titles: vec![title("metropolis".to_owned())] };
    put_title(catalog::PutTitleRequest) -> Title = |asked| asked.title.unwrap_or_default();
    delete_title(catalog::DeleteTitleRequest) -> catalog::Done = |_| catalog::Done {};
    set_windows(catalog::SetWindowsRequest) -> Title = |asked| Title { windows: asked.windows, ..title(asked.title) };
    put_artwork(catalog::PutArtworkRequest) -> Title = |asked| title(asked.title);
    put_person(catalog::PutPersonRequest) -> catalog::Person = |asked| asked.person.unwrap_or_default();
    get_person(catalog::GetPersonRequest) -> catalog::Person = |_| catalog::Person::default();
    list_people(catalog::ListPeopleRequest) -> catalog::ListPeopleReply = |_| catalog::ListPeopleReply::default();
    list_genres(catalog::ListGenresRequest) -> catalog::ListGenresReply = |_| catalog::ListGenresReply::default();
    import(catalog::ImportRequest) -> catalog::ImportReply = |_| catalog::ImportReply::default();
    export(catalog::ExportRequest) -> catalog::ExportReply = |_| catalog::ExportReply { body: b"[]".to_vec() };
});

plays!(History {
    list(history::ListRequest) -> history::ListReply = |_| history::ListReply {
        titles: vec![Watched { title: "metropolis".to_owned(), resume_us: 61_000_000, ..Watched::default() }],
    };
    remove(history::RemoveRequest) -> history::RemoveReply = |_| history::RemoveReply {};
    erase(history::EraseRequest) -> history::EraseReply = |_| history::EraseReply {};
});

plays!(Ratings {
    opinions(ratings::OpinionsRequest) -> ratings::OpinionsReply = |_| ratings::OpinionsReply {
        opinions: vec![Opinion { title: "metropolis".to_owned(), ..Opinion::default() }],
    };
    erase(ratings::EraseRequest) -> ratings::EraseReply = |_| ratings::EraseReply {};
});

plays!(Playback {
    end(playback::EndRequest) -> playback::EndReply = |_| playback::EndReply {};
});

plays!(Recommend {
    list_models(recommend::ListModelsRequest) -> recommend::ListModelsReply =
        |_| recommend::ListModelsReply { models: vec![Model::default()] };
    train(recommend::TrainRequest) -> Model = |_| Model { id: "m2".to_owned(), ..Model::default() };
    use_model(recommend::UseModelRequest) -> Model = |asked| Model { id: asked.id, ..Model::default() };
});

plays!(Search {
    rebuild(search::RebuildRequest) -> search::RebuildReply = |_| search::RebuildReply::default();
    status(search::StatusRequest) -> search::StatusReply =
        |_| search::StatusReply { index: "blue".to_owned(), ..search::StatusReply::default() };
});

plays!(Telemetry {
    report(telemetry::ReportRequest) -> telemetry::ReportReply = |_| telemetry::ReportReply { taken: 1 };
    report_segments(telemetry::SegmentsReport) -> telemetry::SegmentsReply = |_| telemetry::SegmentsReply { taken: 1 };
    play_quality(telemetry::PlayQualityRequest) -> telemetry::PlayQualityReply = |_| telemetry::PlayQualityReply::default();
});

plays!(Traces {
    list(traces::ListRequest) -> traces::ListReply = |_| traces::ListReply::default();
    get(traces::GetRequest) -> traces::Trace = |_| traces::Trace::default();
});

plays!(Ingest {
    list_uploads(ingest::ListUploadsRequest) -> ingest::ListUploadsReply = |_| ingest::ListUploadsReply::default();
});

plays!(Workflow {
    list(workflow::ListRequest) -> workflow::ListReply = |_| workflow::ListReply::default();
    show(workflow::ShowRequest) -> workflow::WorkflowDetail = |_| workflow::WorkflowDetail::default();
    retry(workflow::RetryRequest) -> workflow::WorkflowSummary = |_| workflow::WorkflowSummary::default();
    cancel(workflow::CancelRequest) -> workflow::WorkflowSummary = |_| workflow::WorkflowSummary::default();
});
