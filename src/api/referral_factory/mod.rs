//! Referral Factory's API: users, their qualification, campaigns. A user without a referrer is a referrer,
//! with one a lead; both are in one list and have ids of one sequence. Its two versions answer the same;
//! older clients call `/api/v1`.
//!
//! [`who`] finds the user that a call means; the engine's and the referrers' verbs decide what may be done. A
//! lead found by something that may change (an address, the number of a referrer's leads) is looked up again
//! in the transaction that decides about it.

mod add;
mod ask;
mod campaigns;
mod change;
mod list;
mod paging;
mod qualify;
mod store;
mod user;
mod who;

use super::dialect::Dialect;
use super::operation::Api;

/// The version of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// The address and the name of a call in a version: names are unique in the document.
macro_rules! of_version {
    ($version:expr, $path:literal, $id:literal) => {
        match $version {
            $crate::api::referral_factory::Version::One => (concat!("/api/v1", $path), concat!($id, "V1")),
            $crate::api::referral_factory::Version::Two => (concat!("/api/v2", $path), $id),
        }
    };
}
use of_version;

pub fn api() -> Api {
    let api = Api::new(Dialect::Rf, &["/api/v1", "/api/v2", "/webhook/{token}"]);
    let parts = [add::calls, list::calls, change::calls, qualify::calls, campaigns::calls];
    let of = |api, version| parts.into_iter().fold(api, |api, part| part(api, version));
    qualify::webhook(of(of(api, Version::Two), Version::One))
}
