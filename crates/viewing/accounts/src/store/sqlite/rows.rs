//! Rows, read back as what they were.

use matinee_model::ids::{AccountId, DeviceId, ProfileId};
use matinee_model::territory::Territory;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::account::{Account, Device, HasPassword, Profile, Role};
use crate::email::Email;
use crate::error::AccountsError;
use crate::mail::Mail;
use crate::refresh::Turns;
use crate::store::{Credentials, Ticket, TicketKind};

pub(super) fn credentials(row: &SqliteRow) -> Result<Credentials, AccountsError> {
    let text = |column| row.try_get::<String, _>(column);
    let id = text("id")?;
    let wrong = |error: &dyn std::fmt::Display| AccountsError::damaged(&id, error);
    let password: Option<String> = row.try_get("password")?;
    let account = Account {
        id: AccountId::parse(&id).map_err(|error| wrong(&error))?,
        email: Email::parse(&text("email")?).map_err(|error| wrong(&error))?,
        verified_us: row.try_get("verified_us")?,
        territory: Territory::parse(&text("territory")?).map_err(|error| wrong(&error))?,
        language: text("language")?,
        roles: Role::parse_all(text("roles")?.split_whitespace()).map_err(|error| wrong(&error))?,
        password: if password.is_some() { HasPassword::Yes } else { HasPassword::No },
        created_us: row.try_get("created_us")?,
        revision: u64::try_from(row.try_get::<i64, _>("revision")?).map_err(|error| wrong(&error))?,
    };
    Ok(Credentials { account, password })
}

/// The account of that id, in a transaction.
pub(super) async fn known(step: &mut SqliteConnection, id: &AccountId) -> Result<Credentials, AccountsError> {
    let row = sqlx::query("SELECT * FROM account WHERE id = $1").bind(id.as_str()).fetch_optional(step).await?;
    credentials(&row.ok_or_else(|| AccountsError::UnknownAccount(id.clone()))?)
}

pub(super) fn profile(row: &SqliteRow) -> Result<Profile, AccountsError> {
    let text = |column| row.try_get::<String, _>(column);
    let id = text("id")?;
    let limit: i64 = row.try_get("maturity_limit")?;
    Ok(Profile {
        name: text("name")?,
        avatar: text("avatar")?,
        kids: row.try_get::<i64, _>("kids")? != 0,
        maturity_limit: u32::try_from(limit).map_err(|error| AccountsError::damaged(&id, error))?,
        language: text("language")?,
        audio_language: text("audio_language")?,
        subtitle_language: text("subtitle_language")?,
        autoplay_next: row.try_get::<i64, _>("autoplay_next")? != 0,
        id: ProfileId::parse(&id).map_err(|error| AccountsError::damaged(&id, error))?,
    })
}

pub(super) fn account_id(id: &str) -> Result<AccountId, AccountsError> {
    AccountId::parse(id).map_err(|error| AccountsError::damaged(id, error))
}

pub(super) fn profile_id(id: Option<String>) -> Result<Option<ProfileId>, AccountsError> {
    let parse = |id: String| ProfileId::parse(&id).map_err(|error| AccountsError::damaged(&id, error));
    id.map(parse).transpose()
}

pub(super) fn device(row: &SqliteRow) -> Result<(AccountId, Device), AccountsError> {
    let id: String = row.try_get("id")?;
    let device = Device {
        id: DeviceId::parse(&id).map_err(|error| AccountsError::damaged(&id, error))?,
        name: row.try_get("name")?,
        kind: row.try_get("kind")?,
        signed_in_us: row.try_get("signed_in_us")?,
        last_seen_us: row.try_get("last_seen_us")?,
        profile: profile_id(row.try_get("profile")?)?,
    };
    Ok((account_id(&row.try_get::<String, _>("account")?)?, device))
}

pub(super) fn turns(row: &SqliteRow) -> Result<Turns, AccountsError> {
    Ok(Turns {
        current: row.try_get("current_turn")?,
        previous: row.try_get("previous_turn")?,
        salt: row.try_get("salt")?,
        turned_us: row.try_get("turned_us")?,
        expires_us: row.try_get("expires_us")?,
    })
}

pub(super) fn kind_text(kind: TicketKind) -> &'static str {
    match kind {
        TicketKind::Verify => "verify",
        TicketKind::Reset => "reset",
    }
}

pub(super) fn ticket(row: &SqliteRow) -> Result<Ticket, AccountsError> {
    let kind = match row.try_get::<String, _>("kind")?.as_str() {
        "verify" => TicketKind::Verify,
        "reset" => TicketKind::Reset,
        other => return Err(AccountsError::damaged("a ticket", format!("kind {other:?}"))),
    };
    Ok(Ticket {
        hash: row.try_get("hash")?,
        kind,
        made_us: row.try_get("made_us")?,
        expires_us: row.try_get("expires_us")?,
    })
}

pub(super) fn mail(row: &SqliteRow) -> Result<Mail, AccountsError> {
    let id: String = row.try_get("id")?;
    let to: String = row.try_get("email")?;
    Ok(Mail {
        account: account_id(&row.try_get::<String, _>("account")?)?,
        to: Email::parse(&to).map_err(|error| AccountsError::damaged(&id, error))?,
        subject: row.try_get("subject")?,
        text: row.try_get("text")?,
        html: row.try_get("html")?,
        written_us: row.try_get("written_us")?,
        until_us: row.try_get("until_us")?,
        id,
    })
}
