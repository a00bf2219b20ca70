//! Links: addresses that carry a code. A visitor is counted, gets the code as a cookie, and is redirected to
//! the page of the campaign; [`follow`] decides the target, [`Clicks`] counts.
//!
//! `/r/CODE` names no business, and two businesses may have the same code. The address then belongs to the
//! business that had the code first, for ever, so that a printed link never begins to lead elsewhere; the
//! other's links name its campaign as well: `/r/1003/CODE`. [`address`] knows which.

mod address;
mod clicks;
mod follow;
pub mod pages;
mod qr;
mod store;
mod target;
mod visitor;

pub use address::{address, is_one, of_code};
pub use clicks::{Click, Clicks};
pub use follow::{Followed, LinkPath, Refers, follow, qr_address};
pub use qr::{MARGIN, png, svg};
pub use target::{cookie_domain, with_code, with_query};
pub use visitor::is_person;
