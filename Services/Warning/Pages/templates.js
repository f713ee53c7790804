// What a warning begins with, so that nobody has to find words at three in the morning. Every word can be changed.
const text = (language, [event, headline, description, instruction]) => ({ language, event, headline, description, instruction });

const written = {
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

/** By name: `{title, hours, content}`, the content as far as it is known. */
export const templates = Object.fromEntries(Object.entries(written).map(([name, { name: title, category, severity, urgency, certainty, hours, de, en }]) => [name, {
  title, hours, content: { categories: [category], severity, urgency, certainty, texts: [text("de-DE", de), text("en-GB", en)] },
}]));
