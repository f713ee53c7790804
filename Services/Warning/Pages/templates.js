// What a warning begins with, so that nobody has to find words at three in the morning. Every word can be changed.
export const categories = {
  Met: "Wetter", Geo: "Gelände", Safety: "Sicherheit", Security: "Öffentliche Ordnung", Rescue: "Rettung", Fire: "Feuer und Rauch", Health: "Gesundheit",
  Env: "Umwelt", Transport: "Verkehr", Infra: "Versorgung", CBRNE: "Gefahrstoffe", Other: "Anderes",
};

export const templates = {
  flood: {
    name: "Hochwasser", category: "Met", severity: "Severe", urgency: "Immediate", certainty: "Observed", hours: 12,
    de: ["Hochwasser", "Hochwasser: meiden Sie Ufer, Keller und Unterführungen", "Der Wasserstand steigt schnell. Wege am Ufer, Keller und Unterführungen können überflutet werden.", "Gehen Sie nicht in Keller und Tiefgaragen. Meiden Sie Ufer und Unterführungen. Fahren und gehen Sie nicht durch überflutete Straßen."],
    en: ["Flood", "Flood: keep away from banks, cellars and underpasses", "The water is rising fast. Paths along the bank, cellars and underpasses may be flooded.", "Do not go into cellars and underground car parks. Keep away from banks and underpasses. Do not drive or walk through flooded streets."],
  },
  rain: {
    name: "Starkregen", category: "Met", severity: "Severe", urgency: "Immediate", certainty: "Likely", hours: 4,
    de: ["Starkregen", "Starkregen: Straßen und Keller können überflutet werden", "In kurzer Zeit fällt sehr viel Regen. Bäche und Kanäle können in Minuten über die Ufer treten.", "Bleiben Sie in höher gelegenen Räumen. Gehen Sie nicht in Keller und Tiefgaragen. Meiden Sie Bäche und Unterführungen."],
    en: ["Heavy rain", "Heavy rain: streets and cellars may be flooded", "Very much rain is falling in a short time. Creeks and sewers may overflow within minutes.", "Stay in rooms above ground. Do not go into cellars and underground car parks. Keep away from creeks and underpasses."],
  },
  smoke: {
    name: "Großbrand, Rauch", category: "Fire", severity: "Severe", urgency: "Immediate", certainty: "Observed", hours: 4,
    de: ["Brand", "Großbrand: Fenster und Türen schließen", "Bei einem Brand entsteht viel Rauch, der in bewohnte Gebiete zieht.", "Schließen Sie Fenster und Türen. Schalten Sie Lüftung und Klimaanlage aus. Meiden Sie das Gebiet und halten Sie Straßen für die Feuerwehr frei."],
    en: ["Fire", "Major fire: close windows and doors", "A fire gives off much smoke that drifts over places where people live.", "Close windows and doors. Turn off ventilation and air conditioning. Keep away and keep the streets clear for the fire brigade."],
  },
  water: {
    name: "Trinkwasser", category: "Health", severity: "Moderate", urgency: "Expected", certainty: "Observed", hours: 48,
    de: ["Trinkwasser", "Trinkwasser vor dem Verzehr abkochen", "Das Trinkwasser kann verunreinigt sein.", "Kochen Sie Leitungswasser ab, bevor Sie es trinken, Speisen damit zubereiten oder Zähne putzen."],
    en: ["Drinking water", "Boil tap water before use", "The drinking water may be contaminated.", "Boil tap water before you drink it, prepare food with it or brush your teeth."],
  },
  outage: {
    name: "Stromausfall", category: "Infra", severity: "Moderate", urgency: "Immediate", certainty: "Observed", hours: 6,
    de: ["Stromausfall", "Stromausfall: Notruf nur im Notfall wählen", "In dem Gebiet ist der Strom ausgefallen. Wie lange, ist noch nicht bekannt.", "Wählen Sie 112 nur im Notfall. Schalten Sie Herd und Heizgeräte aus. Sehen Sie nach Menschen, die Hilfe brauchen."],
    en: ["Power outage", "Power outage: call 112 in emergencies only", "The power is out in this area. It is not known yet for how long.", "Call 112 in emergencies only. Turn off stoves and heaters. Look after people who need help."],
  },
};

/** What the end of a warning begins with. */
export const endings = {
  "all-clear": {
    de: headline => ["Entwarnung", `Entwarnung: ${headline}`, "Die Gefahr ist vorüber.", "Sie müssen nichts weiter tun."],
    en: headline => ["All clear", `All clear: ${headline}`, "The danger is over.", "You need not do anything further."],
  },
  cancel: {
    de: headline => ["Widerruf", `Widerruf: ${headline}`, "Die Warnung wird zurückgenommen: die Gefahr besteht nicht.", "Sie müssen nichts weiter tun."],
    en: headline => ["Cancelled", `Cancelled: ${headline}`, "The warning is withdrawn: there is no such danger.", "You need not do anything further."],
  },
};

/** What fits into which channel; the city has the last word when it is submitted. */
export const limits = {
  app: [100, 4000], webhook: [200, 10000], email: [200, 10000], "cap-feed": [200, 10000], displays: [70, Infinity], topic: [200, 10000],
  "mowas-handover": [200, 4000], sirens: [200, 10000], "loudspeaker-vans": [200, 500],
};
export const usual = ["app", "webhook", "email", "cap-feed", "topic"];

const words = [
  [/^is empty$/, "fehlt"], [/^is missing.*$/, "fehlt"], [/^has (\d+) characters$/, "hat $1 Zeichen"], [/^has passed$/, "ist vorbei"],
  [/^is more than a week ahead$/, "liegt mehr als eine Woche voraus"], [/^names no place$/, "nennt keinen Ort"], [/^is not before expires$/, "liegt nicht vor dem Ende"],
  [/^at most (\d+) for (.+)$/, "höchstens $1 für $2"], [/^at least one.*$/, "mindestens eines"], [/^words$/, "Text"], [/^the area in words$/, "das Gebiet in Worten"],
  [/^districts, circles or polygons$/, "Stadtteile oder Kreise"], [/^a time to come$/, "ein Zeitpunkt in der Zukunft"], [/^at most 7 days.*$/, "höchstens 7 Tage; eine Aktualisierung verlängert"],
  [/^has < and >$/, "enthält < und >"], [/^plain text without markup$/, "reiner Text"], [/^leaves out (.+)$/, "lässt aus: $1"],
  [/^every channel of the last message$/, "jeder Kanal der letzten Nachricht"], [/^crosses a border$/, "geht über eine Zuständigkeitsgrenze"],
  [/^an area within one of them$/, "ein Gebiet innerhalb einer davon"],
];

/** A problem of the city's, as far as it is known, in German. */
export const inGerman = text => words.reduce((said, [pattern, german]) => said.replace(pattern, german), text ?? "");
