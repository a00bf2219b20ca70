//! Our own API: every resource, in one style. Lists go by opaque cursors, newest first; an id is taken as it
//! is rendered (`lead_…`) or as the integer; unknown fields are refused; problems are those of RFC 9457.

mod adjustments;
mod audit;
mod campaigns;
mod codes;
mod common;
mod customer_rewards;
mod enrollments;
mod events;
mod forecast;
mod imports;
mod inbox;
mod jobs;
mod leads;
mod me;
mod money;
mod moves;
mod part;
mod payout_details;
mod payouts;
mod products;
mod public;
mod referrers;
mod remarks;
mod statements;
mod test_data;
mod touches;
mod traces;
mod window;

use super::dialect::Dialect;
use super::operation::Api;

pub fn api() -> Api {
    let api = Api::new(Dialect::Own, &["/v1"]);
    let parts = [
        me::calls,
        campaigns::calls,
        products::calls,
        referrers::calls,
        payout_details::calls,
        enrollments::calls,
        codes::calls,
        jobs::calls,
        leads::calls,
        leads::decisions,
        touches::calls,
        remarks::calls,
        events::calls,
        imports::calls,
        money::calls,
        statements::calls,
        payouts::calls,
        forecast::calls,
        traces::calls,
        adjustments::calls,
        customer_rewards::calls,
        inbox::calls,
        audit::calls,
        test_data::calls,
        public::calls,
    ];
    parts.into_iter().fold(api, |api, part| part(api))
}
