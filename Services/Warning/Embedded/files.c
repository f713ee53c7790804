#include "warning_files.h"

// One array and one line in the list per file; a test compares the list with the folders.
// clang-format off
static const unsigned char migrations_0001_warnings_sql[] = {
#embed "../Migrations/0001_warnings.sql"
};
static const unsigned char migrations_0002_rules_sql[] = {
#embed "../Migrations/0002_rules.sql"
};
static const unsigned char migrations_0003_foreign_sql[] = {
#embed "../Migrations/0003_foreign.sql"
};
static const unsigned char migrations_0004_rule_watch_checkpoints_sql[] = {
#embed "../Migrations/0004_rule_watch_checkpoints.sql"
};
static const unsigned char migrations_0005_templates_sql[] = {
#embed "../Migrations/0005_templates.sql"
};
static const unsigned char migrations_0006_foreign_place_sql[] = {
#embed "../Migrations/0006_foreign_place.sql"
};
static const unsigned char migrations_0007_forecast_sql[] = {
#embed "../Migrations/0007_forecast.sql"
};
static const unsigned char templates_templates_json[] = {
#embed "../Templates/templates.json"
};
static const unsigned char areas_areas_json[] = {
#embed "../Areas/areas.json"
};
static const unsigned char pages_active_js[] = {
#embed "../Pages/active.js"
};
static const unsigned char pages_approvals_js[] = {
#embed "../Pages/approvals.js"
};
static const unsigned char pages_area_js[] = {
#embed "../Pages/area.js"
};
static const unsigned char schemas_alert_drafted[] = {
#embed "../../../schemas/events/de.dos2030.warnings.alert-drafted.v1.json"
};
static const unsigned char schemas_alert_ended[] = {
#embed "../../../schemas/events/de.dos2030.warnings.alert-ended.v1.json"
};
static const unsigned char schemas_alert_issued[] = {
#embed "../../../schemas/events/de.dos2030.warnings.alert-issued.v1.json"
};
static const unsigned char schemas_alert_published[] = {
#embed "../../../schemas/events/de.dos2030.warnings.alert-published.v1.json"
};
static const unsigned char schemas_delivery_delivered[] = {
#embed "../../../schemas/events/de.dos2030.warnings.delivery-delivered.v1.json"
};
static const unsigned char schemas_hint_raised[] = {
#embed "../../../schemas/events/de.dos2030.warnings.hint-raised.v1.json"
};
static const unsigned char schemas_release_proposed[] = {
#embed "../../../schemas/events/de.dos2030.warnings.release-proposed.v1.json"
};
static const unsigned char schemas_rule_drafted[] = {
#embed "../../../schemas/events/de.dos2030.warnings.rule-drafted.v1.json"
};
static const unsigned char schemas_template_saved[] = {
#embed "../../../schemas/events/de.dos2030.warnings.template-saved.v1.json"
};
static const unsigned char pages_city_js[] = {
#embed "../Pages/city.js"
};
static const unsigned char pages_conditions_js[] = {
#embed "../Pages/conditions.js"
};
static const unsigned char pages_content_js[] = {
#embed "../Pages/content.js"
};
static const unsigned char pages_datastreams_js[] = {
#embed "../Pages/datastreams.js"
};
static const unsigned char pages_details_js[] = {
#embed "../Pages/details.js"
};
static const unsigned char pages_dialogs_js[] = {
#embed "../Pages/dialogs.js"
};
static const unsigned char pages_drafts_js[] = {
#embed "../Pages/drafts.js"
};
static const unsigned char pages_editor_js[] = {
#embed "../Pages/editor.js"
};
static const unsigned char pages_figures_js[] = {
#embed "../Pages/figures.js"
};
static const unsigned char pages_foreign_js[] = {
#embed "../Pages/foreign.js"
};
static const unsigned char pages_formproblems_js[] = {
#embed "../Pages/formproblems.js"
};
static const unsigned char pages_hints_js[] = {
#embed "../Pages/hints.js"
};
static const unsigned char pages_index_html[] = {
#embed "../Pages/index.html"
};
static const unsigned char pages_officer_css[] = {
#embed "../Pages/officer.css"
};
static const unsigned char pages_officer_html[] = {
#embed "../Pages/officer.html"
};
static const unsigned char pages_officer_js[] = {
#embed "../Pages/officer.js"
};
static const unsigned char pages_overview_js[] = {
#embed "../Pages/overview.js"
};
static const unsigned char pages_problems_js[] = {
#embed "../Pages/problems.js"
};
static const unsigned char pages_readings_js[] = {
#embed "../Pages/readings.js"
};
static const unsigned char pages_ruleform_js[] = {
#embed "../Pages/ruleform.js"
};
static const unsigned char pages_rules_js[] = {
#embed "../Pages/rules.js"
};
static const unsigned char pages_shapes_js[] = {
#embed "../Pages/shapes.js"
};
static const unsigned char pages_steps_js[] = {
#embed "../Pages/steps.js"
};
static const unsigned char pages_templates_js[] = {
#embed "../Pages/templates.js"
};
static const unsigned char pages_todo_js[] = {
#embed "../Pages/todo.js"
};
static const unsigned char pages_trial_js[] = {
#embed "../Pages/trial.js"
};
static const unsigned char pages_warnings_css[] = {
#embed "../Pages/warnings.css"
};
static const unsigned char pages_warnings_js[] = {
#embed "../Pages/warnings.js"
};
static const unsigned char pages_words_js[] = {
#embed "../Pages/words.js"
};
// clang-format on

static const embedded_file files[] = {
    {"Migrations/0001_warnings.sql", migrations_0001_warnings_sql, sizeof migrations_0001_warnings_sql},
    {"Migrations/0002_rules.sql", migrations_0002_rules_sql, sizeof migrations_0002_rules_sql},
    {"Migrations/0003_foreign.sql", migrations_0003_foreign_sql, sizeof migrations_0003_foreign_sql},
    {"Migrations/0004_rule_watch_checkpoints.sql", migrations_0004_rule_watch_checkpoints_sql, sizeof migrations_0004_rule_watch_checkpoints_sql},
    {"Migrations/0005_templates.sql", migrations_0005_templates_sql, sizeof migrations_0005_templates_sql},
    {"Migrations/0006_foreign_place.sql", migrations_0006_foreign_place_sql, sizeof migrations_0006_foreign_place_sql},
    {"Migrations/0007_forecast.sql", migrations_0007_forecast_sql, sizeof migrations_0007_forecast_sql},
    {"Templates/templates.json", templates_templates_json, sizeof templates_templates_json},
    {"Areas/areas.json", areas_areas_json, sizeof areas_areas_json},
    {"Pages/active.js", pages_active_js, sizeof pages_active_js},
    {"Pages/approvals.js", pages_approvals_js, sizeof pages_approvals_js},
    {"Pages/area.js", pages_area_js, sizeof pages_area_js},
    {"Schemas/de.dos2030.warnings.alert-drafted.v1.json", schemas_alert_drafted, sizeof schemas_alert_drafted},
    {"Schemas/de.dos2030.warnings.alert-ended.v1.json", schemas_alert_ended, sizeof schemas_alert_ended},
    {"Schemas/de.dos2030.warnings.alert-issued.v1.json", schemas_alert_issued, sizeof schemas_alert_issued},
    {"Schemas/de.dos2030.warnings.alert-published.v1.json", schemas_alert_published, sizeof schemas_alert_published},
    {"Schemas/de.dos2030.warnings.delivery-delivered.v1.json", schemas_delivery_delivered, sizeof schemas_delivery_delivered},
    {"Schemas/de.dos2030.warnings.hint-raised.v1.json", schemas_hint_raised, sizeof schemas_hint_raised},
    {"Schemas/de.dos2030.warnings.release-proposed.v1.json", schemas_release_proposed, sizeof schemas_release_proposed},
    {"Schemas/de.dos2030.warnings.rule-drafted.v1.json", schemas_rule_drafted, sizeof schemas_rule_drafted},
    {"Schemas/de.dos2030.warnings.template-saved.v1.json", schemas_template_saved, sizeof schemas_template_saved},
    {"Pages/city.js", pages_city_js, sizeof pages_city_js},
    {"Pages/conditions.js", pages_conditions_js, sizeof pages_conditions_js},
    {"Pages/content.js", pages_content_js, sizeof pages_content_js},
    {"Pages/datastreams.js", pages_datastreams_js, sizeof pages_datastreams_js},
    {"Pages/details.js", pages_details_js, sizeof pages_details_js},
    {"Pages/dialogs.js", pages_dialogs_js, sizeof pages_dialogs_js},
    {"Pages/drafts.js", pages_drafts_js, sizeof pages_drafts_js},
    {"Pages/editor.js", pages_editor_js, sizeof pages_editor_js},
    {"Pages/figures.js", pages_figures_js, sizeof pages_figures_js},
    {"Pages/foreign.js", pages_foreign_js, sizeof pages_foreign_js},
    {"Pages/formproblems.js", pages_formproblems_js, sizeof pages_formproblems_js},
    {"Pages/hints.js", pages_hints_js, sizeof pages_hints_js},
    {"Pages/index.html", pages_index_html, sizeof pages_index_html},
    {"Pages/officer.css", pages_officer_css, sizeof pages_officer_css},
    {"Pages/officer.html", pages_officer_html, sizeof pages_officer_html},
    {"Pages/officer.js", pages_officer_js, sizeof pages_officer_js},
    {"Pages/overview.js", pages_overview_js, sizeof pages_overview_js},
    {"Pages/problems.js", pages_problems_js, sizeof pages_problems_js},
    {"Pages/readings.js", pages_readings_js, sizeof pages_readings_js},
    {"Pages/ruleform.js", pages_ruleform_js, sizeof pages_ruleform_js},
    {"Pages/rules.js", pages_rules_js, sizeof pages_rules_js},
    {"Pages/shapes.js", pages_shapes_js, sizeof pages_shapes_js},
    {"Pages/steps.js", pages_steps_js, sizeof pages_steps_js},
    {"Pages/templates.js", pages_templates_js, sizeof pages_templates_js},
    {"Pages/todo.js", pages_todo_js, sizeof pages_todo_js},
    {"Pages/trial.js", pages_trial_js, sizeof pages_trial_js},
    {"Pages/warnings.css", pages_warnings_css, sizeof pages_warnings_css},
    {"Pages/warnings.js", pages_warnings_js, sizeof pages_warnings_js},
    {"Pages/words.js", pages_words_js, sizeof pages_words_js},
    {NULL, NULL, 0},
};

const embedded_file *warning_files(void) { return files; }
