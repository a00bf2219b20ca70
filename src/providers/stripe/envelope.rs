//! The envelope of an event of Stripe's.

use serde_json::Value as Json;

use crate::providers::message::Envelope;
use crate::providers::read::{Unreadable, at, seconds, text};

pub fn envelope(event: &Json) -> Result<Envelope, Unreadable> {
    if text(event, "object").as_deref() == Some("v2.core.event") {
        return Err(
            "It is a thin event. Refdesk needs the events of the API's version 1: add a webhook endpoint with \
                    snapshot payloads."
                .into(),
        );
    }
    let test = match at(event, "livemode") {
        Some(Json::Bool(live)) => Some(!live),
        _ => None,
    };
    Ok(Envelope {
        identity: text(event, "id").ok_or("It has no id.")?,
        kind: text(event, "type").ok_or("It has no type.")?,
        happened_at: seconds(event, "created").ok_or("It has no time in created.")?,
        test,
    })
}
