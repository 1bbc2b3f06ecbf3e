//! What the backend knows: answers by topic, and what gives a scam away. It is looked up here, or in tables of a
//! PostgreSQL that are filled with the same.

/// What the chat answers to a question with this word in it; the first that fits.
pub(crate) const TOPICS: [(&str, &str); 4] = [
    ("refund", "You can return any item within 30 days for a full refund."),
    ("shipping", "Orders leave our warehouse within two working days."),
    ("price", "All prices include taxes; the catalogue lists them."),
    ("hello", "Hello! What can I do for you?"),
];

/// Words of messages that are to be doubted.
pub(crate) const WARNING_SIGNS: [&str; 6] =
    ["urgent", "wire", "guarantee", "fee", "crypto", "prize"];

/// Something the backend is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lookup<'a> {
    /// The answer to a question in small letters, if there is one.
    Answer(&'a str),
    /// How many warning signs a text in small letters has.
    WarningSigns(&'a str),
    /// How many messages there are: what analytics walk over. Only a database is asked that.
    Messages,
}

impl Lookup<'_> {
    /// What is known without a database.
    pub(crate) fn in_memory(&self) -> Option<String> {
        match self {
            Self::Answer(question) => {
                let found = TOPICS.iter().find(|(topic, _)| question.contains(topic));
                found.map(|(_, answer)| (*answer).to_owned())
            }
            Self::WarningSigns(text) => {
                let found = WARNING_SIGNS.iter().filter(|word| text.contains(**word));
                Some(found.count().to_string())
            }
            Self::Messages => None,
        }
    }
}
