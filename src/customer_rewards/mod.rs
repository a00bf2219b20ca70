//! The rewards that a campaign gives referred customers for being qualified, beside the referrer's reward.
//! The engine makes them, once per lead, and ends and restores them with the qualification. Staff hand them out, and
//! say so here ([`decide`]): a payout pays referrers only.

mod decide;
pub mod pages;
mod store;

pub use decide::{Act, MOST, Refused, Tally, Wish, decide};
pub use store::{CustomerRewardRow, Filter, count_ready, find, listing, of_lead, ready};
