//! People who were referred, or might be: their list and pages, and what staff do with them. Every
//! change of a lead is an event of the desk; this feature has no write of its own.

mod filter;
mod pages;
mod store;
mod timeline;

pub use filter::ARRIVALS;
pub use pages::routes;
pub use store::listed;
pub use store::meta::{Kept, set as set_meta};

/// A budget as it is kept: a plain decimal, without zeros nobody wrote for a reason.
pub fn budget(text: &str) -> Option<String> {
    let text = text.trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |s: &str| !s.is_empty() && s.len() <= 20 && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let part = part.trim_end_matches('0');
    Some(if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") })
}
