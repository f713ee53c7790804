#pragma once
#include <libpq-fe.h>
#include <postgres_ext.h>
// Character macros, which Swift does not import.
static const int shim_diag_sqlstate = PG_DIAG_SQLSTATE;
static const int shim_diag_message = PG_DIAG_MESSAGE_PRIMARY;
static const int shim_diag_hint = PG_DIAG_MESSAGE_HINT;
static const int shim_diag_constraint = PG_DIAG_CONSTRAINT_NAME;
