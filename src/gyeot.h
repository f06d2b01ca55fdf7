/* gyeot: tokenizing, pooling and cosine search in plain C11, without I/O and without globals. */
#ifndef GYEOT_H
#define GYEOT_H

#include "gyeot_index.h"
#include "gyeot_pooling.h"
#include "gyeot_status.h"
#include "gyeot_tokenizer.h"

#endif
