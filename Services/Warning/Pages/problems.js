// What the city refuses, in German: one place for all pages. What is not known here is shown as it came, and said to be English.
const before = "tag:dos2030.de,2026:warnings/";
/** By the name in the problem's type (RFC 9457). */
const kinds = {
  "alert-unknown": "Diese Warnung gibt es nicht.",
  taken: "Das gibt es schon.",
  "alert-over": "Diese Warnung ist beendet. Entwerfen Sie eine neue.",
  "draft-open": "An dieser Warnung ist schon eine Nachricht in Arbeit: erst jene fertigstellen oder aufgeben.",
  "no-draft": "Von dieser Warnung ist keine Nachricht mehr in Arbeit.",
  "not-head": "Inzwischen gilt eine andere Nachricht dieser Warnung.",
  "not-issued-yet": "Von dieser Warnung ist noch nichts herausgegeben: bearbeiten Sie den Entwurf.",
  "not-an-amendment": "Auf eine Warnung folgt eine Aktualisierung, ein Widerruf oder eine Entwarnung.",
  "wrong-stage": "Der Entwurf ist inzwischen an einer anderen Stelle.",
  content: "So kann die Warnung nicht herausgegeben werden.",
  "channels-left-out": "Wer gewarnt wurde, muss auch das erfahren.",
  "other-area": "Wer gewarnt wurde, muss auch das erfahren: das Gebiet ist das der letzten Nachricht.",
  "own-work": "Was Sie geschrieben haben, kann nur eine andere Person freigeben, ablehnen, zurückgeben oder prüfen.",
  "other-city": "Das ist Sache des Warndienstes der anderen Stadt.",
  "revision-changed": "Der Entwurf ist inzwischen ein anderer als der, den Sie gelesen haben.",
  expired: "Die Zeit der Nachricht ist vorbei.",
  "reason-missing": "Die Begründung fehlt.",
  "only-for-actual": "Sofort herausgeben lässt sich nur ein Ernstfall, keine Übung und keine Probewarnung.",
  "not-competent": "Das ist Sache der Leitstelle, die dort zuständig ist.",
  "no-review-due": "Es steht keine Prüfung mehr aus.",
  "not-expired": "Die Nachricht gilt noch.",
  "hint-unknown": "Diesen Hinweis gibt es nicht.",
  "hint-over": "Dieser Hinweis ist vorbei.",
  "rule-unknown": "Diese Regel gibt es nicht.",
  "rule-retired": "Diese Regel ist außer Dienst. Legen Sie eine neue an.",
  rule: "So kann die Regel nicht wachen.",
  fit: "Aus dieser Vergangenheit ergibt sich kein Modell.",
  "rule-changed": "Die Regel wurde inzwischen geändert: was Sie erprobt haben, ist nicht mehr die neueste Fassung.",
  "rule-not-live": "Die Regel wacht nicht.",
  "template-unknown": "Diese Vorlage bringt der Dienst mit: sie lässt sich ersetzen, aber nicht löschen.",
  "template-name": "So kann eine Vorlage nicht heißen.",
  template: "So kann die Vorlage nicht gespeichert werden.",
  "release-unknown": "Diese Freigabe gibt es nicht.",
  "release-for-actual": "Ein Ernstfall braucht keine Freigabe.",
  "release-window": "Eine Freigabe gilt höchstens 24 Stunden, und ihr Ende liegt nach dem Anfang.",
  "own-release": "Was Sie beantragt haben, kann nur eine andere Person freigeben.",
  "release-approved": "Das ist schon freigegeben.",
  "release-revoked": "Diese Freigabe wurde widerrufen.",
  "release-past": "Diese Zeit ist vorbei.",
  "delivery-unknown": "An diesen Kanal ist nichts gegeben worden.",
  "delivery-not-due": "Diese Zustellung wartet nicht mehr darauf.",
  "delivery-not-confirmable": "Nur Sirenen, Lautsprecherwagen und die MoWaS-Übergabe werden von einer Person bestätigt.",
  "nobody-competent": "Für dieses Gebiet ist keine zuständige Stelle bekannt.",
  "several-competent": "Für Teile dieses Gebiets sind verschiedene Stellen zuständig: entwerfen Sie für jede eine Warnung.",
  "partly-competent": "Ein Teil des Gebiets liegt dort, wo keine zuständige Stelle bekannt ist.",
};
/** Where the status says it all. */
const statuses = {
  401: "Die Anmeldung gilt nicht mehr.", 403: "Das darf Ihre Rolle nicht.", 404: "Das gibt es nicht.", 409: "Das passt nicht mehr zum jetzigen Stand.",
  413: "Das ist zu viel auf einmal.", 429: "Zu viele Anfragen: bitte gleich noch einmal.", 500: "In der Stadt ist etwas schiefgegangen; ihr Protokoll weiß, was.",
  502: "Die Stadt antwortet nicht.", 503: "Die Stadt kann gerade nicht antworten: bitte gleich noch einmal.", 504: "Die Stadt antwortet nicht.",
};
/** What is said of single fields: what is wrong, and what would be right. */
const words = [
  [/^(is (empty|missing|blank)|missing|is missing or short|the field is missing)$/, "fehlt"], [/^has ([\d]+) characters$/, "hat $1 Zeichen"], [/^has passed$/, "ist vorbei"],
  [/^is more than a week ahead$/, "liegt mehr als eine Woche voraus"], [/^is not before expires$/, "liegt nicht vor dem Ende"], [/^before it, or none$/, "davor, oder leer"],
  [/^names no place$/, "nennt keinen Ort"], [/^districts, circles or polygons$/, "Stadtteile, Kreise oder Vielecke"], [/^the area in words$/, "das Gebiet in Worten"],
  [/^has nothing in the language de$/, "enthält nichts auf Deutsch"], [/^has nothing in the language en$/, "enthält nichts auf Englisch"],
  [/^German and English at least$/, "wenigstens Deutsch und Englisch"], [/^stands there twice$/, "steht zweimal da"], [/^each language once$/, "jede Sprache einmal"],
  [/^has < and >$/, "enthält < und >"], [/^plain text without markup$/, "reiner Text"], [/^words$/, "Text"], [/^a time to come$/, "ein Zeitpunkt in der Zukunft"],
  [/^words that others will understand later$/, "Worte, die andere später verstehen"], [/^at most 7 days; an update renews it$/, "höchstens 7 Tage; eine Aktualisierung verlängert"],
  [/^at least one( channel| condition)?$/, "mindestens eines"], [/^at most (\d+) for app$/, "höchstens $1 für die App"], [/^at most (\d+) for displays$/, "höchstens $1 für Anzeigetafeln"],
  [/^at most (\d+) for loudspeaker-vans$/, "höchstens $1 für Lautsprecherwagen"], [/^at most (\d+) for mowas-handover$/, "höchstens $1 für MoWaS"],
  [/^at most (\d+) for email$/, "höchstens $1 für E-Mail"], [/^at most (\d+) for (webhook|cap-feed|topic)$/, "höchstens $1 für andere Systeme"], [/^at most (\d+) for sirens$/, "höchstens $1 bei Sirenen"],
  [/^1 to 60 small letters, digits and hyphens$/, "1 bis 60 kleine Buchstaben, Ziffern und Bindestriche"], [/^words of at most (\d+) characters$/, "Text von höchstens $1 Zeichen"],
  [/^seconds from 60 to 604800$/, "eine Minute bis 7 Tage"], [/^there is no template .*$/, "diese Vorlage gibt es nicht mehr"], [/^one of those that GET \/warnings\/templates lists$/, "eine aus der Liste"],
  [/^has (\d+) moments at which both gauges have a reading$/, "hat $1 Zeitpunkte, zu denen beide Pegel melden"], [/^at least (\d+): more days, or the step.*$/, "wenigstens $1: mehr Tage"],
  [/^shows one level all the time$/, "zeigt immer denselben Stand"], [/^a gauge that rises and falls$/, "ein Pegel, der steigt und fällt"], [/^holds (\d+) floods$/, "enthält $1 Hochwasser"],
  [/^at least (\d+), to know how forecasts err: more days$/, "wenigstens $1, um zu wissen, wie sehr Vorhersagen irren: mehr Tage"],
  [/^does not follow gauge A: their changes correlate by (.+) at best$/, "folgt dem oberen Pegel nicht: ihre Änderungen hängen höchstens zu $1 zusammen"],
  [/^at least (.+): a gauge downstream of A.*$/, "wenigstens $1: ein Pegel unterhalb des oberen"], [/^is forecast with an error of (.+)$/, "wird mit einem Fehler von $1 vorhergesagt"],
  [/^less than 95 % of (.+), the error of saying.*$/, "weniger als 95 % von $1, dem Fehler ohne Vorhersage"],
  [/^has (\d+) points$/, "hat $1 Ecken"], [/^at most (\d+)$/, "höchstens $1"], [/^leaves out (.+)$/, "lässt aus: $1"], [/^every channel of the last message$/, "jeder Kanal der letzten Nachricht"],
  [/^crosses a border$/, "geht über eine Zuständigkeitsgrenze"], [/^an area within one of them$/, "ein Gebiet innerhalb einer davon"],
  [/^goes beyond (.+)$/, "reicht über $1 hinaus"], [/^an area within it$/, "ein Gebiet innerhalb davon"], [/^is not the last message issued$/, "ist nicht die letzte Nachricht"],
  [/^'(.+)' is no district$/, "„$1“ ist kein Stadtteil"], [/^'(.+)'$/, "„$1“"], [/^one of (.+)$/, "eines von $1"], [/^([\d.]+) km is no radius here$/, "$1 km ist hier kein Radius"],
  [/^more than 0, at most 100 \(km\)$/, "mehr als 0, höchstens 100 km"], [/^(Ring )?Self-intersection.*$/, "kreuzt sich selbst"], [/^(Too few points|Duplicate Rings|Hole|Nested|Holes|Interior|Invalid).*$/, "umschließt keine Fläche"],
  [/^rings that do not cross themselves or each other$/, "eine Linie, die sich nicht kreuzt"], [/^the longitude (.+) is not within.*$/, "die Länge $1 liegt nicht zwischen -180 und 180"],
  [/^the latitude (.+) is not within.*$/, "die Breite $1 liegt nicht zwischen -90 und 90"], [/^a ring of (\d+) positions encloses nothing.*$/, "$1 Ecken umschließen nichts"],
  [/^is not approved$/, "ist nicht freigegeben"], [/^an approved release$/, "eine freigegebene"], [/^the number that MoWaS gave$/, "die Nummer, die MoWaS vergeben hat"],
  [/^is Actual$/, "ist ein Ernstfall"], [/^Exercise or Test: .*$/, "Übung oder Probewarnung"], [/^is before from, or more than a day after it$/, "liegt vor dem Anfang oder mehr als einen Tag danach"],
  [/^a window of at most 24 hours$/, "höchstens 24 Stunden"], [/^has more than one line$/, "hat mehr als eine Zeile"], [/^one line$/, "eine Zeile"], [/^(\d+) to (\d+) characters$/, "$1 bis $2 Zeichen"],
  [/^is (-?\d+) s$/, "ist $1 s"], [/^([\d,]+) to ([\d,]+) seconds$/, "$1 bis $2 Sekunden"], [/^is not finite$/, "ist keine Zahl"], [/^a finite number$/, "eine Zahl"],
  [/^is (.+), above raiseAt (.+)$/, "ist $1, über der Marke $2"], [/^is (.+), below raiseAt (.+)$/, "ist $1, unter der Marke $2"], [/^at most raiseAt$/, "höchstens die Marke"], [/^at least raiseAt$/, "mindestens die Marke"],
  [/^is (.+) with by (.+)$/, "ist $1 bei einer Änderung von $2"], [/^above 0 and at most by$/, "über 0 und höchstens die Änderung"], [/^an amount above 0; .*$/, "mehr als 0"], [/^is (-?[\d.]+)$/, "ist $1"],
  [/^is (\d+) of (\d+)$/, "ist $1 von $2"], [/^1 to the number of conditions in of$/, "1 bis zur Zahl der Bedingungen"], [/^is gauge A itself$/, "ist der obere Pegel selbst"], [/^another datastream than gaugeA$/, "ein anderer Datenstrom"],
  [/^(\d+) to (\d+)$/, "$1 bis $2"], [/^the value is .*$/, "passt nicht"], [/^a whole number.*$/, "eine ganze Zahl"], [/^a number.*$/, "eine Zahl"], [/^a value( that the field allows)?$/, "eine passende Angabe"], [/^(a )?text$/, "Text"],
  [/^there is no such hint$/, "gibt es nicht"], [/^the id of a hint$/, "ein Hinweis"], [/^is "(.*)"$/, "ist „$1“"], [/^a city's short name, as dortmund$/, "der Kurzname einer Stadt: dortmund"],
  [/^looks at (\d+) datastreams$/, "schaut auf $1 Datenströme"], [/^at most (\d+) datastreams$/, "höchstens $1 Datenströme"], [/^These datastreams have more than (\d+) readings.*$/, "Das sind mehr als $1 Messwerte: bitte weniger Tage oder Datenströme."],
];

function german(text) {
  for (const [pattern, said] of words) if (pattern.test(text)) return text.replace(pattern, said);
  return text ? `(englisch) ${text}` : "";
}

/** One problem of a field: what is wrong, and what would be right. */
export const fieldProblem = ({ problem, expected }) => (expected ? `${german(problem)}; erwartet: ${german(expected)}` : german(problem));

/** Why something was refused or did not arrive, without what is said of single fields. */
export function reason(error) {
  if (error.status === undefined) {
    const unreached = ["TypeError", "TimeoutError", "AbortError"].includes(error.name);
    return unreached ? "Keine Verbindung zur Stadt: es ist nicht bekannt, ob es angekommen ist. Bitte noch einmal versuchen." : error.message;
  }
  const kind = error.type?.startsWith(before) ? kinds[error.type.slice(before.length)] : null;
  if (kind) return kind;
  const known = error.detail && german(error.detail);
  if (known && !known.startsWith("(englisch)")) return known;
  if (error.errors.length) return "Einige Angaben passen nicht.";
  return statuses[error.status] ?? `(englisch) ${error.detail ?? error.status}`;
}

/** All of it in one line, for where no field stands. */
export const inOneLine = (error, labels = {}) =>
  [reason(error), ...(error.errors ?? []).map(e => `${labels[e.path] ?? e.path}: ${fieldProblem(e)}`), error.meanwhile].filter(Boolean).join(" · ");
