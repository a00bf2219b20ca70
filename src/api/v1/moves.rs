//! The money that a decision would move: read before the decision, and named in it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::common::{number, stale};
use crate::api::Caller;
use crate::api::field::{Line, number_schema};
use crate::api::problem::{FieldProblem, Problem};
use crate::app::App;
use crate::engine::ids::PaymentId;
use crate::engine::state::DecisionReason;
use crate::engine::{Event, Moved, Moves, Reattribute, Refusal, Rejected, What};
use crate::id::{self, Kind};

/// The name of a preview, as a decision may send it back.
pub type Seen = Line<40>;

/// The effect of a decision on commissions. Nothing of it is done.
#[derive(Serialize, JsonSchema)]
pub struct Preview {
    /// Names what is shown here. Sent with the decision, it is made only if it still moves just this.
    seen: String,
    /// Commissions that would be made, or come back.
    created: Vec<MovedCommission>,
    /// Unpaid commissions that would be void.
    voided: Vec<MovedCommission>,
    /// Paid commissions that would be taken off the next payout.
    taken_back: Vec<MovedCommission>,
    /// Paid commissions that would stay with their referrer.
    kept: Vec<MovedCommission>,
    /// Waiting payments that would be decided and earn nothing.
    nothing: Vec<EarnsNothing>,
}

/// A commission that a decision would move.
#[derive(Serialize, JsonSchema)]
struct MovedCommission {
    /// The lead: `lead_…`.
    lead: String,
    /// The referrer: `agent_…`.
    referrer: String,
    /// `referral` (first payment), `recurring` or `reward` (qualification).
    kind: String,
    /// `pay_…`; null for a reward, and for a payment that is not recorded yet.
    payment: Option<String>,
    /// In the currency's own decimals.
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    /// In minor units.
    amount_minor: i64,
    /// ISO 4217.
    currency: String,
    /// The last day of the hold.
    hold_until: String,
}

/// A payment that would earn nothing.
#[derive(Serialize, JsonSchema)]
struct EarnsNothing {
    /// `pay_…`.
    payment: String,
    /// Why.
    decision_why: String,
}

impl MovedCommission {
    fn all(moved: &[Moved]) -> Result<Vec<Self>, Problem> {
        let one = |m: &Moved| {
            Ok(Self {
                lead: id::render(Kind::Lead, m.lead_id.0),
                referrer: id::render(Kind::Referrer, m.referrer_id.0),
                kind: m.kind.word().to_owned(),
                payment: m.payment_id.filter(|id| id.0 < id::ID_LIMIT).map(|id| id::render(Kind::Payment, id.0)),
                amount: number(m.amount, m.currency.code())?,
                amount_minor: m.amount,
                currency: m.currency.code().to_owned(),
                hold_until: m.hold_until.to_string(),
            })
        };
        moved.iter().map(one).collect()
    }
}

impl Preview {
    pub fn of(moves: &Moves) -> Result<Self, Problem> {
        let nothing = |(payment, why): &(PaymentId, DecisionReason)| EarnsNothing {
            payment: id::render(Kind::Payment, payment.0),
            decision_why: why.word().to_owned(),
        };
        Ok(Self {
            seen: moves.seal(),
            created: MovedCommission::all(&moves.created)?,
            voided: MovedCommission::all(&moves.voided)?,
            taken_back: MovedCommission::all(&moves.clawed_back)?,
            kept: MovedCommission::all(&moves.kept)?,
            nothing: moves.nothing.iter().map(nothing).collect(),
        })
    }
}

/// The refusals of the rules.
pub fn rejected(why: Rejected, nothing: fn() -> Problem) -> Problem {
    match why {
        Rejected::NotFound => nothing(),
        Rejected::Refused(refusal @ Refusal::ExternalIdTaken(_)) => {
            Problem::conflict("external_id_taken", refusal.sentence())
        }
        Rejected::Refused(refusal) => Problem::conflict("refused", refusal.sentence()),
        Rejected::Invalid { field, why } => FieldProblem::wrong(field.words(), why).into(),
        Rejected::Stale => stale(),
    }
}

/// The money that a decision would move, or why the rules forbid it.
pub async fn look(app: &App, caller: &Caller, what: &What, nothing: fn() -> Problem) -> Result<Moves, Problem> {
    let (outcomes, work) = app.engine.preview(vec![Event::new(caller.by(), what.clone())]).await?;
    match outcomes.into_iter().next() {
        Some(Err(why)) => Err(rejected(why, nothing)),
        _ => Ok(Moves::of(&work)),
    }
}

/// Refuses a decision that moves money to a key without the scope `money:write`, whatever else the key may do.
pub async fn may_move(app: &App, caller: &Caller, what: &What, nothing: fn() -> Problem) -> Result<(), Problem> {
    if caller.key.may("money:write") || is_repeated(caller) {
        return Ok(());
    }
    let pays = match what {
        What::Reattribute(Reattribute { pay_back: true, .. }) | What::AcceptPayment(_) | What::PayBack(_) => true,
        _ => !look(app, caller, what, nothing).await?.is_nothing(),
    };
    if !pays {
        return Ok(());
    }
    Err(Problem::forbidden("This API key may not do that: it moves money, and the key lacks the scope money:write."))
}

/// True when the call was decided when it came first.
fn is_repeated(caller: &Caller) -> bool {
    caller.actor.call.as_ref().is_some_and(|call| call.repeated)
}

/// Stops a decision that would move other money than its caller has seen. A repeated call was stopped, or decided,
/// when it came first.
pub async fn is_as_seen(
    app: &App,
    caller: &Caller,
    what: &What,
    seen: Option<&Seen>,
    nothing: fn() -> Problem,
) -> Result<(), Problem> {
    let Some(seen) = seen.filter(|_| !is_repeated(caller)) else { return Ok(()) };
    let moves = look(app, caller, what, nothing).await?;
    if moves.seal() == **seen { Ok(()) } else { Err(stale()) }
}
