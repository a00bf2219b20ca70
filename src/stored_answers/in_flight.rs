//! The calls with an `Idempotency-Key` that this node is working on. Nodes keep each other from doing a call twice
//! by a lock of its writes.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

type Call = (i64, String);

#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<Call>>>);

/// A call in flight, until it is dropped.
pub struct Held {
    call: Call,
    all: InFlight,
}

impl InFlight {
    /// Marks a call of a key as begun; none where it is being worked on.
    pub fn hold(&self, key_id: i64, text: &str) -> Option<Held> {
        let call = (key_id, text.to_owned());
        let new = self.0.lock().is_ok_and(|mut calls| calls.insert(call.clone()));
        new.then(|| Held { call, all: self.clone() })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Ok(mut calls) = self.all.0.lock() {
            calls.remove(&self.call);
        }
    }
}
