// What a warning begins with, so that nobody has to find words at three in the morning: the city's templates, which officers can add to.
import { decide } from "./city.js";
import { readTexts, checked } from "./content.js";
import { ask, doing, say } from "./dialogs.js";
import { duty, refresh } from "./officer.js";
import { button, element, make, none, redraw } from "./words.js";

/** A name as the city takes it: small letters, digits and hyphens. */
const nameOf = title => title.toLowerCase().replaceAll("ä", "ae").replaceAll("ö", "oe").replaceAll("ü", "ue").replaceAll("ß", "ss").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60);

/** Keeps what a form says now, for all officers; area and time are of the moment and stay out. */
export async function saveTemplate(form, content) {
  const until = Date.parse(form.elements.expires.value);
  const given = await ask({
    title: "Als Vorlage speichern", action: "Speichern", words: ["Alle im Warndienst können damit beginnen. Das Gebiet gehört nicht dazu; die Dauer ist die jetzige."],
    fields: [
      { name: "replaces", label: "Wohin", kind: "select", required: false, options: [["", "neue Vorlage"], ...duty.templates.map(t => [t.name, `ersetzt „${t.title}“`])] },
      { name: "title", label: "Name der Vorlage", kind: "line", value: form.elements["event-0"].value, longest: 100 },
    ],
    act: async ({ replaces, title }) => {
      const name = replaces || nameOf(title);
      if (!replaces && duty.templates.some(t => t.name === name)) throw Object.assign(new Error("Es gibt schon eine Vorlage dieses Namens: wählen Sie sie oben aus, oder nehmen Sie einen anderen."), { errors: [] });
      const optional = Object.fromEntries(["eventCode", "contact", "web"].filter(field => content[field]).map(field => [field, content[field]]));
      return decide(`templates/${name}`, {
        title, lasts: Math.max(60, Math.round((until - Date.now()) / 60_000) * 60),
        content: {
          ...optional, categories: [form.elements.categories.value], severity: form.elements.severity.value, urgency: form.elements.urgency.value, certainty: form.elements.certainty.value,
          responseTypes: content.responseTypes ?? [], texts: readTexts(form, content), channels: checked(form, "channels"),
        },
      }, { method: "PUT" });
    },
  });
  if (!given) return;
  say(`Vorlage „${given.title}“ gespeichert.`);
  duty.lookAround = true;
  await refresh();
}

const remove = template => doing(async () => {
  await decide(`templates/${template.name}`, undefined, { method: "DELETE" });
  say(`Vorlage „${template.title}“ gelöscht.`);
  duty.lookAround = true;
  await refresh();
});

/** The list beside the drafts, in which they can be removed. */
export const drawTemplates = () => redraw(element("template-list"), duty.templates.length
  ? duty.templates.map(t => make("p", { id: `template-${t.name}`, children: [make("span", { text: `${t.title} ` }), button(`„${t.title}“ löschen`, remove(t))] })) : [none("Es gibt keine Vorlagen.")]);
