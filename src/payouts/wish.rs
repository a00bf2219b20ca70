//! The wishes of callers: a payout to make, the end of a line.

use super::files::Format;
use crate::clock::Day;
use crate::engine::payout::LineEvent;
use crate::money::Currency;
use crate::payout_details::Method;

/// The wish for a payout.
#[derive(Debug, Clone, Copy)]
pub struct NewPayout {
    pub business_id: i64,
    /// Without one it pays every campaign's.
    pub campaign_id: Option<i64>,
    pub currency: Currency,
    pub method: Method,
    /// The kind of file it is made for; the method's usual one without it.
    pub format: Option<Format>,
}

/// The end of a line.
#[derive(Debug, Clone)]
pub struct Settle {
    pub line_id: i64,
    pub event: LineEvent,
    /// Why it failed or was returned.
    pub reason: Option<String>,
    /// The bank's or provider's own.
    pub reference: Option<String>,
    /// The business's day; today without one.
    pub day: Option<Day>,
}
