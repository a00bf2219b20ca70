//! The plain facts of a lead, each named once. Pages and their form, the contracts, exports, imports and the
//! engine read this table, and SQL lists the columns from it. To add a fact, add a variant, its line here and
//! a column by a migration.

use super::budget;
use crate::db::{TextColumn, Texts};

/// A plain fact, in the order in which a lead's page shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeadFact {
    Company,
    JobTitle,
    Industry,
    Website,
    Request,
    Budget,
    Country,
    Region,
    Address,
    Source,
}

/// The plain facts of one lead.
pub type LeadFacts = Texts<LeadFact>;

/// The form of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One line.
    Line,
    /// One line with an address on the web.
    Web,
    /// Several lines.
    Text,
    /// A plain decimal from 0 up.
    Number,
}

/// The part of the form that a fact stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Work,
    Request,
    Place,
}

/// One line of the table.
#[derive(Debug)]
pub struct Plain {
    pub fact: LeadFact,
    /// The column, which is also the name on our forms.
    pub column: &'static str,
    pub label: &'static str,
    pub kind: Kind,
    /// Characters, at most.
    pub most: usize,
    pub part: Part,
    /// The name in the JSON of every contract.
    pub json: &'static str,
    /// A sentence for the documents of our own API and of Cashfin's.
    pub about: &'static str,
    pub about_cashfin: &'static str,
    /// The name and the label of its column in files.
    pub file: &'static str,
    pub file_label: &'static str,
    /// Headers of other programs that mean it, and those that may mean it (as `imports::mapping` compares them).
    pub headers: &'static [&'static str],
    pub loose_headers: &'static [&'static str],
}

/// In the order of the variants.
pub static TABLE: [Plain; 10] = [
    Plain {
        fact: LeadFact::Company,
        column: "company",
        label: "Company",
        kind: Kind::Line,
        most: 200,
        part: Part::Work,
        json: "company",
        about: "The company they work for.",
        about_cashfin: "Company or organisation.",
        file: "company",
        file_label: "Company",
        headers: &[
            "company",
            "companyname",
            "organization",
            "organisation",
            "organizationname",
            "organisationname",
            "employer",
            "firm",
            "businessname",
            "firma",
            "unternehmen",
            "entreprise",
            "société",
            "societe",
            "empresa",
            "azienda",
            "kampuni",
        ],
        loose_headers: &[
            "business",
            "account",
            "accountname",
            "companyaccount",
            "associatedcompany",
            "defaultaddresscompany",
        ],
    },
    Plain {
        fact: LeadFact::JobTitle,
        column: "jobtitle",
        label: "Job title",
        kind: Kind::Line,
        most: 200,
        part: Part::Work,
        json: "jobtitle",
        about: "Their job.",
        about_cashfin: "Job title.",
        file: "job_title",
        file_label: "Job title",
        headers: &[
            "jobtitle",
            "job",
            "title",
            "position",
            "role",
            "jobrole",
            "designation",
            "occupation",
            "organizationtitle",
            "cargo",
            "poste",
            "puesto",
        ],
        loose_headers: &[],
    },
    Plain {
        fact: LeadFact::Industry,
        column: "industry",
        label: "Industry",
        kind: Kind::Line,
        most: 200,
        part: Part::Work,
        json: "industry",
        about: "The company's industry.",
        about_cashfin: "Industry or sector.",
        file: "industry",
        file_label: "Industry",
        headers: &["industry", "sector", "branche", "industria", "vertical"],
        loose_headers: &["secteur", "industrysector", "industryorsector"],
    },
    Plain {
        fact: LeadFact::Website,
        column: "website",
        label: "Website",
        kind: Kind::Web,
        most: 500,
        part: Part::Work,
        json: "website",
        about: "The company's address on the web.",
        about_cashfin: "Company or personal website.",
        file: "website",
        file_label: "Website",
        headers: &[
            "website",
            "websiteurl",
            "web",
            "homepage",
            "site",
            "webpage",
            "webseite",
            "sitioweb",
            "siteweb",
            "companywebsite",
        ],
        loose_headers: &["url", "domain", "companydomain"],
    },
    Plain {
        fact: LeadFact::Request,
        column: "request",
        label: "Request",
        kind: Kind::Text,
        most: 5_000,
        part: Part::Request,
        json: "request",
        about: "Their request.",
        about_cashfin: "The request of the lead.",
        file: "request",
        file_label: "Request",
        headers: &[
            "request",
            "message",
            "inquiry",
            "enquiry",
            "requirement",
            "interest",
            "interestedin",
            "nachricht",
            "mensaje",
            "ombi",
        ],
        loose_headers: &["note", "comment", "description", "detail"],
    },
    Plain {
        fact: LeadFact::Budget,
        column: "budget",
        label: "Budget",
        kind: Kind::Number,
        most: budget::LONGEST,
        part: Part::Request,
        json: "budget",
        about: "A plain decimal, without a currency.",
        about_cashfin: "Estimated budget.",
        file: "budget",
        file_label: "Budget",
        headers: &["budget", "estimatedbudget", "expectedbudget", "presupuesto", "bajeti"],
        loose_headers: &["dealvalue", "estimatedvalue"],
    },
    Plain {
        fact: LeadFact::Country,
        column: "country",
        label: "Country",
        kind: Kind::Line,
        most: 100,
        part: Part::Place,
        json: "country",
        about: "In your words.",
        about_cashfin: "Country.",
        file: "country",
        file_label: "Country",
        headers: &["country", "countrycode", "countryname", "land", "pays", "país", "pais", "paese", "nchi"],
        loose_headers: &["billingcountry", "nation", "countryregion", "address1country"],
    },
    Plain {
        fact: LeadFact::Region,
        column: "region",
        label: "Region",
        kind: Kind::Line,
        most: 100,
        part: Part::Place,
        json: "state",
        about: "The part of the country.",
        about_cashfin: "State or region.",
        file: "state",
        file_label: "State or region",
        headers: &[
            "state",
            "region",
            "province",
            "stateorregion",
            "stateregion",
            "stateprovince",
            "county",
            "bundesland",
            "provincia",
            "région",
        ],
        loose_headers: &["billingstate"],
    },
    Plain {
        fact: LeadFact::Address,
        column: "address",
        label: "Address",
        kind: Kind::Text,
        most: 500,
        part: Part::Place,
        json: "address",
        about: "Street and town.",
        about_cashfin: "Street address.",
        file: "address",
        file_label: "Address",
        headers: &[
            "address",
            "streetaddress",
            "street",
            "postaladdress",
            "mailingaddress",
            "fulladdress",
            "adresse",
            "anschrift",
            "dirección",
            "direccion",
            "endereço",
            "endereco",
            "indirizzo",
            "anwani",
        ],
        loose_headers: &["address1", "addressline1", "billingaddress", "homeaddress", "address1formatted"],
    },
    Plain {
        fact: LeadFact::Source,
        column: "source",
        label: "Source",
        kind: Kind::Line,
        most: 100,
        part: Part::Request,
        json: "source",
        about: "The source, in your words.",
        about_cashfin: "Where the lead came from (website, referral, ad); `referral` for one with a referral code.",
        file: "source",
        file_label: "Source",
        headers: &[
            "source",
            "leadsource",
            "utmsource",
            "channel",
            "sourceoflead",
            "howdidyouhearaboutus",
            "quelle",
            "origen",
            "origem",
            "chanzo",
        ],
        loose_headers: &["sourceorigin", "medium"],
    },
];

impl TextColumn for LeadFact {
    const ALL: &'static [Self] = &{
        let mut all = [Self::Company; TABLE.len()];
        let mut at = 0;
        while at < TABLE.len() {
            all[at] = TABLE[at].fact;
            at += 1;
        }
        all
    };

    fn name(self) -> &'static str {
        self.plain().column
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Plain {
    pub fn is_area(&self) -> bool {
        self.kind == Kind::Text
    }

    /// The width of its field on the form.
    pub fn size(&self) -> &'static str {
        match self.kind {
            Kind::Number => "short",
            Kind::Line if self.most <= 100 => "medium",
            _ => "",
        }
    }

    /// The height of its area on the form.
    pub fn rows(&self) -> &'static str {
        if self.most > 1_000 { "4" } else { "2" }
    }

    pub fn inputmode(&self) -> &'static str {
        match self.kind {
            Kind::Number => "decimal",
            Kind::Web => "url",
            _ => "",
        }
    }

    pub fn hint(&self) -> &'static str {
        if self.kind == Kind::Number { "A plain number." } else { "" }
    }
}

impl LeadFact {
    pub fn plain(self) -> &'static Plain {
        &TABLE[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_variants() {
        for (index, plain) in TABLE.iter().enumerate() {
            assert_eq!(plain.fact.index(), index, "{}", plain.column);
        }
    }
}
