//! Rights and roles: the rights that routes ask for, and the roles that have them.

/// The rights of a person. Every route names one; the roles' rights are the table in [`Role::may`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// The start page and one's own account.
    Home,
    /// Record a referral and look people up.
    Record,
    SeeReferrers,
    EditReferrers,
    /// All leads; without it, only those one recorded.
    SeeLeads,
    /// The leads page at all, if only for one's own leads.
    OwnLeads,
    EditLeads,
    SeeMoney,
    DecideMoney,
    /// See and change how referrers are paid, and pay them.
    Pay,
    SeeInbox,
    DecideInbox,
    SeeCampaigns,
    EditCampaigns,
    Import,
    Integrations,
    Audit,
    Team,
    Business,
}

impl Right {
    pub const ALL: [Self; 19] = [
        Self::Home,
        Self::Record,
        Self::SeeReferrers,
        Self::EditReferrers,
        Self::SeeLeads,
        Self::OwnLeads,
        Self::EditLeads,
        Self::SeeMoney,
        Self::DecideMoney,
        Self::Pay,
        Self::SeeInbox,
        Self::DecideInbox,
        Self::SeeCampaigns,
        Self::EditCampaigns,
        Self::Import,
        Self::Integrations,
        Self::Audit,
        Self::Team,
        Self::Business,
    ];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    Owner,
    Marketing,
    Sales,
    Developer,
    Viewer,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Owner, Self::Marketing, Self::Sales, Self::Developer, Self::Viewer];

    pub fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Marketing => "marketing",
            Self::Sales => "sales",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        }
    }

    /// As the first word of a line.
    pub fn title(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Marketing => "Marketing",
            Self::Sales => "Sales",
            Self::Developer => "Developer",
            Self::Viewer => "Viewer",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// The purpose of the role, in one line.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Owner => "Everything.",
            Self::Marketing => "Everything but keys, the team and the business's settings.",
            Self::Sales => "Records referrals, looks people up, sees the leads they recorded. No money.",
            Self::Developer => "Integrations and logs; reads the rest.",
            Self::Viewer => "Reads. No keys, no payout details.",
        }
    }

    pub fn may(self, right: Right) -> bool {
        use Right as R;
        match self {
            Self::Owner => true,
            Self::Marketing => !matches!(right, R::Integrations | R::Team | R::Business),
            Self::Sales => matches!(right, R::Home | R::Record | R::SeeReferrers | R::OwnLeads),
            Self::Developer => matches!(
                right,
                R::Home
                    | R::SeeReferrers
                    | R::SeeLeads
                    | R::OwnLeads
                    | R::SeeMoney
                    | R::SeeInbox
                    | R::SeeCampaigns
                    | R::Integrations
                    | R::Audit
            ),
            Self::Viewer => matches!(
                right,
                R::Home | R::SeeReferrers | R::SeeLeads | R::OwnLeads | R::SeeMoney | R::SeeInbox | R::SeeCampaigns
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rights of each role, in the words of the specification.
    #[test]
    fn roles_may_what_their_sentence_says() {
        use Right as R;
        let owner = R::ALL;
        assert!(owner.iter().all(|right| Role::Owner.may(*right)), "owner: all");

        let withheld_from_marketing = [R::Integrations, R::Team, R::Business];
        for right in R::ALL {
            let withheld = withheld_from_marketing.contains(&right);
            assert_eq!(
                Role::Marketing.may(right),
                !withheld,
                "marketing: all but keys, team and business settings: {right:?}"
            );
        }

        // Record a referral, look-ups, the leads they recorded, no money.
        let sales = [R::Home, R::Record, R::SeeReferrers, R::OwnLeads];
        // Integrations, logs, reads without payout details.
        let developer = [
            R::Home,
            R::SeeReferrers,
            R::SeeLeads,
            R::OwnLeads,
            R::SeeMoney,
            R::SeeInbox,
            R::SeeCampaigns,
            R::Integrations,
            R::Audit,
        ];
        // Reads, no keys, no payout details.
        let viewer = [R::Home, R::SeeReferrers, R::SeeLeads, R::OwnLeads, R::SeeMoney, R::SeeInbox, R::SeeCampaigns];
        for (role, rights) in [(Role::Sales, &sales[..]), (Role::Developer, &developer), (Role::Viewer, &viewer)] {
            for right in R::ALL {
                assert_eq!(role.may(right), rights.contains(&right), "{}: {right:?}", role.word());
            }
        }

        let changes =
            [R::EditReferrers, R::EditLeads, R::DecideMoney, R::Pay, R::DecideInbox, R::EditCampaigns, R::Import];
        for role in [Role::Sales, Role::Developer, Role::Viewer] {
            assert!(
                changes.iter().all(|right| !role.may(*right)),
                "{} changes nothing but what they record",
                role.word()
            );
        }
        assert!(!Role::Sales.may(R::SeeMoney) && !Role::Sales.may(R::SeeLeads), "sales: no money, only own leads");
        for role in Role::ALL {
            assert_eq!(Role::parse(role.word()), Some(role));
            assert!(role.may(R::Home), "everybody has an account page");
        }
    }
}
