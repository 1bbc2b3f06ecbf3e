//! What is drawn behind and above the data of a chart over time: phases, events, levels.

/// Marks drawn in one chart; more are left to the list of events beside it.
pub const MAX_MARKS: usize = 60;

/// How much something matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Good to know.
    #[default]
    Info,
    /// Better than it was.
    Good,
    /// Look at it.
    Warn,
    /// Something is wrong.
    Bad,
}

impl Tone {
    /// Its class.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Info => "t-info",
            Self::Good => "t-good",
            Self::Warn => "t-warn",
            Self::Bad => "t-bad",
        }
    }
}

/// Something that happened at a time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mark {
    /// When, in the unit of the x axis.
    pub at: f64,
    /// Until when, if it lasted.
    pub until: Option<f64>,
    /// A sign of one to three characters at its upper end, the number in the list of events for example.
    pub sign: String,
    /// What happened.
    pub text: String,
    /// How much it matters.
    pub tone: Tone,
}

/// A stretch of the x axis that belongs together, a phase for example.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Band {
    /// Where it begins, in the unit of the x axis.
    pub start: f64,
    /// Where it ends.
    pub end: f64,
    /// What it is.
    pub name: String,
    /// Its place in the plan: `data-phase` of the drawing, by which the page's choice of a phase finds it.
    pub phase: usize,
}

/// A value that divides good from bad: a target, a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Level {
    /// In the unit of the y axis.
    pub value: f64,
    /// What is written at it.
    pub text: String,
    /// How bad it is to be beyond it.
    pub tone: Tone,
    /// From where to where on the x axis it counts; nothing is everywhere.
    pub span: Option<(f64, f64)>,
}

/// Levels drawn in one chart.
pub(super) const MAX_LEVELS: usize = 80;
