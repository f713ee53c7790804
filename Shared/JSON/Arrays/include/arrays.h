#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define DOS_NOEXCEPT noexcept
extern "C" {
#else
#define DOS_NOEXCEPT
#endif

/// Bytes that live as long as the `dos_arrays` they come from; `start` is null where the row has no such cell.
typedef struct dos_slice {
  const char *start;
  size_t length;
} dos_slice;

typedef enum dos_result_kind { dos_result_number, dos_result_bool, dos_result_text, dos_result_json } dos_result_kind;

/// What keeps one row from being a reading; the others of its request are not touched by it.
typedef enum dos_row_problem {
  dos_row_fine,
  dos_row_not_array,
  dos_row_too_few_cells,
  dos_row_too_many_cells,
  dos_row_component_missing,
  dos_row_component_unknown,
  dos_row_component_twice,
  dos_row_wrong_type
} dos_row_problem;

/// One row as sent. Times are texts: they are read in Swift, where the one parser for them is.
typedef struct dos_row {
  dos_row_problem problem;
  dos_result_kind kind;
  double number; // 0 or 1 for dos_result_bool
  dos_slice text;
  dos_slice phenomenon_time;
  dos_slice result_time;
  dos_slice valid_time;
  dos_slice quality;    // JSON
  dos_slice parameters; // JSON
  int64_t feature;      // id of the FeatureOfInterest, 0 for none
  dos_slice component;  // the name that the problem is about
} dos_row;

typedef struct dos_group {
  int64_t datastream;
  size_t first_row;
  size_t row_count;
} dos_group;

/// What keeps the whole body from being read; nothing of it may be stored then.
typedef enum dos_body_problem {
  dos_body_fine,
  dos_body_not_json,
  dos_body_not_array,
  dos_body_group_not_object,
  dos_body_field_unknown,
  dos_body_field_missing,
  dos_body_field_twice,
  dos_body_wrong_type,
  dos_body_count_differs,
  dos_body_too_many_rows
} dos_body_problem;

typedef struct dos_arrays dos_arrays;

/// What was read, all of it, before anything of it can be used.
typedef struct dos_arrays_content {
  dos_body_problem problem;
  size_t problem_group;
  dos_slice field; // the field that the problem is about, or the parser's words
  const dos_group *groups;
  size_t group_count;
  const dos_row *rows;
  size_t row_count;
} dos_arrays_content;

/// Reads the body of a CreateObservations request (OGC 18-088 section 13.2). Null only when memory ran out. The body may be freed
/// afterwards.
dos_arrays *dos_arrays_read(const char *body, size_t length, size_t row_limit) DOS_NOEXCEPT;
dos_arrays_content dos_arrays_get(const dos_arrays *arrays) DOS_NOEXCEPT;
void dos_arrays_free(dos_arrays *arrays) DOS_NOEXCEPT;

#ifdef __cplusplus
}
#endif
