//! Tells a person who follows a link from a program that looks at it.

/// Programs that open links to show a preview, to search or to scan, by a part of their User-Agent. Most name
/// themselves a bot; this short list holds the others.
const PROGRAMS: [&str; 16] = [
    "bot",
    "crawl",
    "spider",
    "preview",
    "facebookexternalhit",
    "facebookcatalog",
    "meta-externalagent",
    "whatsapp",
    "skypeuripreview",
    "snapchat",
    "pinterest",
    "vkshare",
    "embedly",
    "mediapartners-google",
    "headlesschrome",
    "safelinks",
];

/// `agent` is the User-Agent header; `purpose` holds the headers of a request made ahead of a click. Without
/// a User-Agent the visitor counts as a person.
pub fn is_person(agent: &str, purpose: &str) -> bool {
    let (agent, purpose) = (agent.to_ascii_lowercase(), purpose.to_ascii_lowercase());
    let ahead = ["prefetch", "prerender", "preview"].iter().any(|word| purpose.contains(word));
    // A telephone of the maker Cubot is carried by people.
    !ahead && !PROGRAMS.iter().any(|name| agent.replace("cubot", "").contains(name))
}

#[cfg(test)]
mod tests {
    use super::is_person;

    #[test]
    fn people_are_told_from_programs() {
        for agent in [
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 13; CUBOT X70) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
            // The browser inside an app is a person's.
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36 [FBAN/FB4A;FBAV/470.0]",
            "curl/8.5.0",
            "",
        ] {
            assert!(is_person(agent, ""), "{agent}");
            assert!(!is_person(agent, "prefetch;prerender"), "{agent}");
        }
        for agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "WhatsApp/2.23.20.0",
            "TelegramBot (like TwitterBot)",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
            "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
            "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
        ] {
            assert!(!is_person(agent, ""), "{agent}");
        }
    }
}
