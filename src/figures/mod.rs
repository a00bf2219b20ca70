//! The figures of referrers and codes: clicks, leads, qualified leads, revenue, earnings, the last referral.
//!
//! Counters are exact at every moment, and have a slot per writer, so no index can be built on their sums. What
//! lists sort by is a copy in `enrollments` and `codes`. A write queues the scopes whose counters it changes, in
//! its transaction; the schedule copies their sums a few seconds later. A page sorts by the copy and shows the
//! sums.

mod refresh;
mod shown;
mod store;

pub use refresh::{is_due, run};
pub use shown::{Figures, of_codes, of_enrollments, revenue_of_codes};
pub use store::enqueue;
