//! Stories of a few people, their payments and their referrers. A story is drawn as numbers, each of which says one
//! step: that is quick, and becomes shorter by itself where a story fails.

pub const REFERRERS: usize = 3;
pub const PEOPLE: usize = 2;
pub const PAYMENTS: usize = 4;
pub const CURRENCIES: [&str; 2] = ["USD", "JPY"];

/// The pay of a payment by the terms: of a person's first one, and of later ones.
#[derive(Debug, Clone, Copy)]
pub enum Pays {
    /// Ten-thousandths of a percent.
    Rates(i64, i64),
    /// Cents, for dollars alone.
    Flat(i64, i64),
}

/// The moment at which a referral counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    ByHand,
    AtSignUp,
    AtPayment,
}

#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub pays: Pays,
    pub counts: Counts,
    /// Cents for a referral that counts.
    pub reward: i64,
}

/// A commission as people name it: the one that stands, else the latest.
#[derive(Debug, Clone, Copy)]
pub enum Earned {
    ByPayment(usize),
    ByReferral(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Paid,
    Failed,
    Returned,
}

/// One thing that happens. Payment `n` is always of the same person, day and currency, so that the same one comes
/// again, and its refunds come before it.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    SignUp {
        who: usize,
        code: Option<usize>,
    },
    Pay {
        n: usize,
        amount: i64,
    },
    /// Without an amount it is of all that is left.
    Refund {
        id: usize,
        n: usize,
        amount: Option<i64>,
    },
    /// A payment provider says how much of a payment was given back in all, and how much of that came back.
    Sum {
        n: usize,
        total: i64,
        failed: i64,
    },
    Dispute {
        n: usize,
        on: bool,
    },
    Qualify {
        who: usize,
        on: bool,
    },
    Move {
        who: usize,
        to: Option<usize>,
        pay_back: bool,
    },
    PayBack {
        who: usize,
    },
    Approve(Earned),
    Void(Earned),
    /// Time passes, and the holds that are over end.
    Wait {
        hours: i64,
    },
    /// Everything payable in a currency goes into a locked payout. A doomed one will be undone.
    Lock {
        currency: usize,
        doomed: bool,
    },
    /// Undoes the oldest doomed payout.
    Undo,
    /// The end of one of the latest lines, counted from the last.
    Settle {
        line: usize,
        end: End,
    },
}

/// The person who made a payment.
pub fn payer(n: usize) -> usize {
    n % PEOPLE
}

pub fn currency(n: usize) -> usize {
    usize::from(n == 2)
}

/// The day of a payment, counted from the beginning of the story.
pub fn paid_on(n: usize) -> i64 {
    5 * i64::try_from(n).unwrap_or_default() - 18
}

/// A number that choices are taken from, one after the other.
struct Choices(u64);

impl Choices {
    fn below(&mut self, most: u64) -> i64 {
        let chosen = self.0 % most;
        self.0 /= most;
        i64::try_from(chosen).unwrap_or_default()
    }

    fn one_of(&mut self, most: usize) -> usize {
        usize::try_from(self.below(most as u64)).unwrap_or_default()
    }

    /// True in so many of a hundred cases.
    fn chance(&mut self, percent: i64) -> bool {
        self.below(100) >= 100 - percent
    }

    fn amount(&mut self) -> i64 {
        let most = if self.chance(30) { 20 } else { 20_000 };
        self.below(most) + 1
    }

    fn referrer(&mut self, percent: i64) -> Option<usize> {
        self.chance(percent).then(|| self.one_of(REFERRERS))
    }

    fn earned(&mut self) -> Earned {
        if self.chance(25) { Earned::ByReferral(self.one_of(PEOPLE)) } else { Earned::ByPayment(self.one_of(PAYMENTS)) }
    }
}

pub fn terms(number: u64) -> Terms {
    let mut choices = Choices(number);
    let counts = [Counts::ByHand, Counts::AtSignUp, Counts::AtPayment][choices.one_of(3)];
    let reward = choices.below(5_000) + 1;
    let mut rate = || match choices.below(5) {
        0 => 500_000,
        1 => choices.below(100),
        _ => choices.below(1_000_001),
    };
    let (first, later) = (rate(), rate());
    let pays = if choices.chance(20) { Pays::Flat(first / 10 + 1, later / 10 + 1) } else { Pays::Rates(first, later) };
    Terms { pays, counts, reward }
}

/// The first steps of most stories: somebody comes by a code.
pub fn beginning(who: usize, number: u64) -> Step {
    let mut choices = Choices(number);
    if choices.chance(80) { Step::SignUp { who, code: choices.referrer(90) } } else { personal(number) }
}

/// A step of one person.
pub fn personal(number: u64) -> Step {
    let mut choices = Choices(number);
    let kind = choices.below(72);
    let (who, n, yes) = (choices.one_of(PEOPLE), choices.one_of(PAYMENTS), choices.chance(50));
    match kind {
        0..4 => Step::SignUp { who, code: choices.referrer(85) },
        4..15 => Step::Pay { n, amount: choices.amount() },
        15..25 => {
            let amount = (!choices.chance(25)).then(|| choices.below(3_000) + 1);
            Step::Refund { id: choices.one_of(12), n, amount }
        }
        25..32 => Step::Dispute { n, on: yes },
        32..35 => Step::Qualify { who, on: yes },
        35..38 => Step::Move { who, to: choices.referrer(85), pay_back: yes },
        38 => Step::PayBack { who },
        39..50 => Step::Approve(choices.earned()),
        50 => Step::Void(choices.earned()),
        51..59 => {
            let total = if choices.chance(40) { 0 } else { choices.below(3_000) + 1 };
            Step::Sum { n, total, failed: if yes { choices.below(4) * 1_500 } else { 0 } }
        }
        _ => {
            let end = [End::Failed, End::Paid, End::Returned][choices.one_of(3)];
            Step::Settle { line: choices.one_of(3), end }
        }
    }
}

/// A step of everybody: a pause.
pub fn pause(number: u64) -> Step {
    let mut choices = Choices(number);
    let hours = if choices.chance(40) { 100 + choices.below(300) } else { 1 + choices.below(40) };
    Step::Wait { hours }
}

/// A step of everybody: a payout.
pub fn payout(number: u64) -> Step {
    let mut choices = Choices(number);
    if choices.chance(25) {
        return Step::Undo;
    }
    Step::Lock { currency: usize::from(choices.chance(20)), doomed: choices.chance(20) }
}
