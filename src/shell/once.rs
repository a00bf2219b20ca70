//! A form acts once: its token is stored with where the first sending led, and the second is led there too.
//!
//! The form is a call like one with an `Idempotency-Key`: the outcomes of its writes are stored with the writes, so
//! when a program ended before it answered, the form sent again finds them and does nothing twice.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::Response;

use super::form::Posted;
use crate::actor::OnceCall;
use crate::app::App;
use crate::clock::Instant;
use crate::db::DbResult;
use crate::id;
use crate::stored_answers::{self, NewAnswer};
use crate::web::Stamp;
use crate::web::error::Undone;

/// The time that the first sending may run before its outcome is in doubt.
const WORKED_ON_SECONDS: i64 = 60;
/// The pause between two looks of a second sending for the end of the first, and their number.
const LOOK: Duration = Duration::from_millis(100);
const LOOKS: u32 = 100;

/// A form as it arrives.
pub enum Begun {
    /// It is new, or was not ended: then its writes find what they came to.
    Here(Arc<OnceCall>),
    /// It was sent before, and led there.
    Done(String),
    /// It was sent before with other words in it, and led there.
    Another(String),
    /// It was sent before, and a crash hides its end.
    Unknown,
}

pub async fn begin(app: &App, posted: &Posted, stamp: &Stamp) -> DbResult<Begun> {
    let text = posted.text.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    let fingerprint = id::sha256_hex(&format!("{}\n{text}", posted.address()));
    let token = format!("form {}", stamp.token);
    let here =
        |repeated| Begun::Here(Arc::new(OnceCall::new(stamp.user, token.clone(), fingerprint.clone(), repeated)));
    for _ in 0..LOOKS {
        let begin = (stamp.user, token.clone(), fingerprint.clone());
        let known = app.db.write(vec![], begin, stored_answers::begin_form).await?;
        let Some(known) = known else { return Ok(here(false)) };
        let same = known.fingerprint == fingerprint;
        if known.status.is_some() {
            return Ok(if same { Begun::Done(known.headers) } else { Begun::Another(known.headers) });
        }
        if Instant::from_micros(known.begun_at).plus_seconds(WORKED_ON_SECONDS) <= app.clock.now() {
            return Ok(if same && !known.outcomes.is_empty() { here(true) } else { Begun::Unknown });
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(Begun::Unknown)
}

/// The end of a form.
pub enum End {
    Led(String),
    Nothing,
    Broken,
}

impl End {
    pub fn of(response: &Response) -> Self {
        let to = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
        match to.filter(|_| response.status() == StatusCode::SEE_OTHER) {
            Some(to) => Self::Led(to.to_owned()),
            None if response.status().is_server_error() && response.extensions().get::<Undone>().is_none() => {
                Self::Broken
            }
            None => Self::Nothing,
        }
    }
}

/// Stores where a form led. One that led nowhere did nothing, and may be sent again.
pub async fn end(app: &App, call: &OnceCall, end: End) {
    let ended = match end {
        End::Led(headers) => {
            let answer = NewAnswer {
                key_id: call.key_id,
                text: call.text.clone(),
                fingerprint: call.fingerprint.clone(),
                status: i64::from(StatusCode::SEE_OTHER.as_u16()),
                headers,
                body: String::new(),
            };
            app.db.write(vec![], answer, stored_answers::keep).await
        }
        // The deed may be done: the form stays begun, with the outcomes of its writes.
        End::Broken => Ok(()),
        End::Nothing => app.db.write(vec![], (call.key_id, call.text.clone()), stored_answers::forget).await,
    };
    if let Err(error) = ended {
        tracing::warn!(%error, "the end of a form was not stored");
    }
}
