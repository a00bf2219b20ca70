//! The rows of one index, as one number.

/// The kinds of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Lead,
    TestLead,
    Referrer,
    Code,
}

/// The owner and kind of the rows, as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope(pub(super) i64);

impl Scope {
    pub fn leads(campaign_id: i64, test: bool) -> Self {
        Self(campaign_id * 4 + i64::from(test))
    }

    pub fn referrers(business_id: i64) -> Self {
        Self(business_id * 4 + 2)
    }

    pub fn codes(campaign_id: i64) -> Self {
        Self(campaign_id * 4 + 3)
    }

    pub fn number(self) -> i64 {
        self.0
    }

    pub(super) fn owner(self) -> i64 {
        self.0 / 4
    }

    pub(super) fn kind(self) -> Kind {
        match self.0 % 4 {
            0 => Kind::Lead,
            1 => Kind::TestLead,
            2 => Kind::Referrer,
            _ => Kind::Code,
        }
    }
}
