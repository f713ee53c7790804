#include "arrays.h"

#include <deque>
#include <new>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <vector>

namespace dom = simdjson::dom;
using std::string_view;

namespace {

enum class Component { phenomenon_time, result, result_time, valid_time, quality, parameters, feature };

bool component_named(string_view name, Component &component) {
  static const std::pair<string_view, Component> known[] = {
      {"phenomenonTime", Component::phenomenon_time}, {"result", Component::result},
      {"resultTime", Component::result_time},         {"validTime", Component::valid_time},
      {"resultQuality", Component::quality},          {"parameters", Component::parameters},
      {"FeatureOfInterest/id", Component::feature},   {"FeatureOfInterest/@iot.id", Component::feature}};
  for (const auto &entry : known)
    if (entry.first == name) {
      component = entry.second;
      return true;
    }
  return false;
}

dos_slice slice(string_view text) { return {text.data(), text.size()}; }

} // namespace

struct dos_arrays {
  dom::parser parser; // texts without escapes undone lie in it
  std::deque<std::string> kept;
  std::vector<dos_group> groups;
  std::vector<dos_row> rows;
  size_t row_limit = 0;
  dos_body_problem problem = dos_body_fine;
  size_t problem_group = 0;
  dos_slice field = {nullptr, 0};

  bool refuse(dos_body_problem what, size_t group, string_view name) {
    problem = what;
    problem_group = group;
    field = keep(std::string(name));
    groups.clear();
    rows.clear();
    return false;
  }

  dos_slice keep(std::string text) {
    kept.push_back(std::move(text));
    return slice(kept.back());
  }

  bool read(const char *body, size_t length) {
    auto allocated = parser.allocate(length < 64 ? 64 : length, 64);
    if (allocated)
      return refuse(dos_body_not_json, 0, simdjson::error_message(allocated));
    dom::element root;
    auto error = parser.parse(body, length, true).get(root);
    if (error)
      return refuse(dos_body_not_json, 0, simdjson::error_message(error));
    dom::array all;
    if (root.get_array().get(all))
      return refuse(dos_body_not_array, 0, "");
    size_t index = 0;
    for (dom::element element : all) {
      dom::object group;
      if (element.get_object().get(group))
        return refuse(dos_body_group_not_object, index, "");
      if (!read_group(group, index))
        return false;
      index += 1;
    }
    return true;
  }

  bool read_group(dom::object object, size_t index) {
    dom::element datastream, components, data, count;
    bool has_datastream = false, has_components = false, has_data = false, has_count = false;
    for (auto member : object) {
      string_view name = member.key;
      dom::element *target = nullptr;
      bool *has = nullptr;
      if (name == "Datastream")
        target = &datastream, has = &has_datastream;
      else if (name == "components")
        target = &components, has = &has_components;
      else if (name == "dataArray")
        target = &data, has = &has_data;
      else if (name == "dataArray@iot.count")
        target = &count, has = &has_count;
      else if (name.substr(0, 5) == "@iot.")
        continue;
      else
        return refuse(dos_body_field_unknown, index, name);
      if (*has)
        return refuse(dos_body_field_twice, index, name);
      *has = true;
      *target = member.value;
    }
    if (!has_datastream)
      return refuse(dos_body_field_missing, index, "Datastream");
    if (!has_components)
      return refuse(dos_body_field_missing, index, "components");
    if (!has_data)
      return refuse(dos_body_field_missing, index, "dataArray");
    int64_t id = 0;
    if (!read_datastream(datastream, index, id))
      return false;
    dom::array names, cells;
    if (components.get_array().get(names))
      return refuse(dos_body_wrong_type, index, "components");
    if (data.get_array().get(cells))
      return refuse(dos_body_wrong_type, index, "dataArray");
    size_t first = rows.size();
    if (!read_rows(names, cells, index))
      return false;
    uint64_t announced = 0;
    if (has_count && (count.get_uint64().get(announced) || announced != rows.size() - first))
      return refuse(dos_body_count_differs, index, "dataArray@iot.count");
    groups.push_back({id, first, rows.size() - first});
    return true;
  }

  bool read_datastream(dom::element element, size_t index, int64_t &id) {
    dom::object object;
    if (element.get_object().get(object))
      return refuse(dos_body_wrong_type, index, "Datastream");
    bool has = false;
    for (auto member : object) {
      string_view name = member.key;
      if (name != "@iot.id")
        return refuse(dos_body_field_unknown, index, std::string("Datastream/") + std::string(name));
      if (has)
        return refuse(dos_body_field_twice, index, "Datastream/@iot.id");
      if (member.value.get_int64().get(id))
        return refuse(dos_body_wrong_type, index, "Datastream/@iot.id");
      has = true;
    }
    return has || refuse(dos_body_field_missing, index, "Datastream/@iot.id");
  }

  bool read_rows(dom::array names, dom::array data, size_t index) {
    std::vector<Component> components;
    std::vector<string_view> texts;
    dos_row_problem problem = dos_row_fine;
    dos_slice culprit = {nullptr, 0};
    for (dom::element element : names) {
      string_view name;
      if (element.get_string().get(name))
        return refuse(dos_body_wrong_type, index, "components");
      Component component = Component::feature;
      bool known = component_named(name, component);
      bool twice = false;
      for (auto text : texts)
        twice = twice || text == name;
      if (problem == dos_row_fine && (!known || twice)) {
        problem = known ? dos_row_component_twice : dos_row_component_unknown;
        culprit = slice(name);
      }
      components.push_back(component);
      texts.push_back(name);
    }
    for (string_view needed : {string_view("phenomenonTime"), string_view("result")}) {
      bool found = false;
      for (auto text : texts)
        found = found || text == needed;
      if (!found && problem == dos_row_fine) {
        problem = dos_row_component_missing;
        culprit = slice(needed);
      }
    }
    for (dom::element element : data) {
      if (rows.size() >= row_limit)
        return refuse(dos_body_too_many_rows, index, "dataArray");
      dos_row row = {};
      row.problem = problem;
      row.component = culprit;
      if (problem == dos_row_fine)
        read_row(element, components, texts, row);
      rows.push_back(row);
    }
    return true;
  }

  void read_row(dom::element element, const std::vector<Component> &components, const std::vector<string_view> &names, dos_row &row) {
    dom::array cells;
    if (element.get_array().get(cells)) {
      row.problem = dos_row_not_array;
      return;
    }
    size_t index = 0;
    for (dom::element cell : cells) {
      if (index == components.size()) {
        row.problem = dos_row_too_many_cells;
        return;
      }
      if (!read_cell(cell, components[index], row)) {
        row.problem = dos_row_wrong_type;
        row.component = slice(names[index]);
        return;
      }
      index += 1;
    }
    if (index < components.size()) {
      row.problem = dos_row_too_few_cells;
      row.component = slice(names[index]);
    }
  }

  bool read_cell(dom::element cell, Component component, dos_row &row) {
    switch (component) {
    case Component::phenomenon_time:
      return read_text(cell, row.phenomenon_time, false);
    case Component::result_time:
      return read_text(cell, row.result_time, true);
    case Component::valid_time:
      return read_text(cell, row.valid_time, true);
    case Component::quality:
      row.quality = read_json(cell);
      return true;
    case Component::parameters:
      row.parameters = read_json(cell);
      return cell.is_object() || cell.is_null();
    case Component::feature:
      return cell.is_null() || (!cell.get_int64().get(row.feature) && row.feature > 0);
    case Component::result:
      return read_result(cell, row);
    }
    return false;
  }

  bool read_text(dom::element cell, dos_slice &text, bool optional) {
    if (optional && cell.is_null())
      return true;
    string_view value;
    if (cell.get_string().get(value))
      return false;
    text = slice(value);
    return true;
  }

  dos_slice read_json(dom::element cell) {
    if (cell.is_null())
      return {nullptr, 0};
    return keep(simdjson::minify(cell));
  }

  bool read_result(dom::element cell, dos_row &row) {
    bool truth = false;
    string_view text;
    if (!cell.get_double().get(row.number)) {
      row.kind = dos_result_number;
      return true;
    }
    if (!cell.get_bool().get(truth)) {
      row.kind = dos_result_bool;
      row.number = truth ? 1 : 0;
      return true;
    }
    if (!cell.get_string().get(text)) {
      row.kind = dos_result_text;
      row.text = slice(text);
      return true;
    }
    if (cell.is_null())
      return false;
    row.kind = dos_result_json;
    row.text = read_json(cell);
    return true;
  }
};

extern "C" {

dos_arrays *dos_arrays_read(const char *body, size_t length, size_t row_limit) noexcept {
  // Only memory can run out here, and then the request is refused rather than the process ended.
  try {
    auto *arrays = new dos_arrays();
    try {
      arrays->row_limit = row_limit;
      arrays->read(body, length);
      return arrays;
    } catch (...) {
      delete arrays;
      return nullptr;
    }
  } catch (...) {
    return nullptr;
  }
}

dos_arrays_content dos_arrays_get(const dos_arrays *arrays) noexcept {
  return {arrays->problem,       arrays->problem_group, arrays->field,      arrays->groups.data(),
          arrays->groups.size(), arrays->rows.data(),   arrays->rows.size()};
}

void dos_arrays_free(dos_arrays *arrays) noexcept { delete arrays; }
}
