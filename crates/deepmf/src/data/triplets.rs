//! Which fields of a line make an entry: row, column, value, and perhaps weight and time.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// Which fields hold the row, the column and the value of an entry.
///
/// Reads `user,item[,value[,weight|,time]]`, by the names of a header or by places from 1; without a value every entry is 1. A fourth field
/// with the name `time` or `timestamp` is the time, any other is the weight; `time=FIELD` says which is the time, by name or place.
///
/// ```
/// use deepmf::data::{Field, Triplets};
/// let triplets: Triplets = "user,item,rating,timestamp".parse()?;
/// assert_eq!(triplets.time, Some(Field::Name("timestamp".into())));
/// # Ok::<(), deepmf::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Triplets {
    /// What names the row of an entry.
    pub row: Field,
    /// What names its column.
    pub col: Field,
    /// Its value; 1 if none.
    pub value: Option<Field>,
    /// Its weight, zero or more.
    pub weight: Option<Field>,
    /// Its time: of entries of one cell, the latest is the last.
    pub time: Option<Field>,
}

/// One field of every line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// By its name in the header.
    Name(String),
    /// By its place, counted from 1.
    Place(usize),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Place(place) => write!(f, "{place}"),
        }
    }
}

impl FromStr for Field {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        match word.trim() {
            "" | "0" => Err(Error::parameter(
                "a field of the triplets",
                "a name or a place from 1",
                format!("{word:?}"),
            )),
            name => Ok(name.parse().map_or_else(|_| Self::Name(name.into()), Self::Place)),
        }
    }
}

impl FromStr for Triplets {
    type Err = Error;

    fn from_str(words: &str) -> Result<Self> {
        let wrong = || {
            let allowed = "row,column and perhaps a value, a weight and a time, by names or places";
            Error::parameter("triplets", allowed, format!("{words:?}"))
        };
        let (mut time, mut fields) = (None, Vec::new());
        for word in words.split(',') {
            match word.trim().strip_prefix("time=") {
                Some(field) if time.is_none() => time = Some(field.parse()?),
                Some(_) => return Err(wrong()),
                None => fields.push(word.parse::<Field>()?),
            }
        }
        let [row, col, others @ ..] = fields.as_slice() else { return Err(wrong()) };
        let (value, rest) = match others {
            [] => (None, others),
            [value, rest @ ..] => (Some(value.clone()), rest),
        };
        let mut weight = None;
        for field in rest {
            let is_time = matches!(field, Field::Name(name)
                if ["time", "timestamp"].contains(&name.to_lowercase().as_str()));
            let slot = if is_time { &mut time } else { &mut weight };
            if slot.replace(field.clone()).is_some() {
                return Err(wrong());
            }
        }
        Ok(Self { row: row.clone(), col: col.clone(), value, weight, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fourth_field_is_a_weight_unless_it_is_called_time() {
        let read = |words: &str| words.parse::<Triplets>().unwrap();
        let plain = read("1, 2,3");
        assert_eq!((plain.row, plain.value), (Field::Place(1), Some(Field::Place(3))));
        assert_eq!(read("u,i").value, None);
        assert_eq!(read("u,i,r,w").weight, Some(Field::Name("w".into())));
        assert_eq!(read("u,i,r,4").weight, Some(Field::Place(4)));
        let both = read("u,i,r,Timestamp,w");
        assert_eq!((both.weight.is_some(), both.time.is_some()), (true, true));
        assert_eq!(read("1,2,3,time=4").time, Some(Field::Place(4)));
        assert_eq!(
            (read("a,b,time=c").time, read("a,b,c").time),
            (Some(Field::Name("c".into())), None)
        );
    }

    #[test]
    fn wrong_triplets_are_named() {
        for words in [
            "",
            "a",
            "a,time=b",
            "a,b,c,time=",
            "a,b,c,time=1,time=2",
            "a,b,c,d,e",
            "a,,c",
            "0,1,2",
            "a,b,c,d,e,f",
        ] {
            let message = words.parse::<Triplets>().unwrap_err().to_string();
            assert!(message.contains("must be"), "{message}");
        }
    }
}
