/* Compiled twins of the parsers that most requests use.
 *
 * Each function answers the ordinary case: arguments of exactly the builtin types that servers create, and values
 * within the limits. For every other case, errors included, it calls its Python twin of the same name with the same
 * arguments. The twin defines the result. asgiwire/_parsers/__init__.py chooses between the two.
 *
 * Borrowed references are used only while no Python code can run, or after Py_INCREF.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

#if PY_VERSION_HEX < 0x030D0000
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION() }
#endif

/* The functions, in the order of the method table at the end. */
enum {
    HEADER_TEXT,
    HEADER_VALUES,
    CONTENT_LENGTH,
    PARSE_URLENCODED,
    PARSE_COOKIES,
    COMMON_URL,
    FIND_DELIMITER,
    TWINS,
};

static const char *const TWIN_MODULES[TWINS] = {
    "asgiwire._parsers.header_pairs",
    "asgiwire._parsers.header_pairs",
    "asgiwire._parsers.content_headers",
    "asgiwire._parsers.query",
    "asgiwire._parsers.cookies",
    "asgiwire._parsers.uri",
    "asgiwire._parsers.content_headers",
};

/* Keys of a scope. */
enum { SCHEME, PATH_TEXT, RAW_PATH, QUERY_STRING, ROOT_PATH, KEYS };

static const char *const KEY_NAMES[KEYS] = {"scheme", "path", "raw_path", "query_string", "root_path"};

typedef struct {
    PyObject *twins[TWINS];
    PyObject *keys[KEYS];
} State;

static PyObject *
call_twin(PyObject *module, int number, PyObject *const *args, Py_ssize_t count)
{
    State *state = PyModule_GetState(module);
    return PyObject_Vectorcall(state->twins[number], args, (size_t)count, NULL);
}

/* ---- Characters ---- */

enum { NAME = 1, PATH = 2, QUERY = 4, DIGIT = 8 };

/* The kinds of each byte; filled when the module is loaded. */
static unsigned char kinds[256];
static unsigned char lower[256];
static signed char hex_value[256];

static void
fill_tables(void)
{
    static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    static const char path[] = "!$&'()*+,;=:@/[]"; /* also the bytes of a name */
    for (int byte = 0; byte < 256; byte++) {
        int is_digit = byte >= '0' && byte <= '9', is_upper = byte >= 'A' && byte <= 'Z';
        int small = is_upper ? byte + 32 : byte;
        int in_name = memchr(name, byte, sizeof(name) - 1) != NULL;
        int in_path = in_name || memchr(path, byte, sizeof(path) - 1) != NULL;
        int in_query = in_path || byte == '?';
        /* One write for each element: another interpreter may be reading it. */
        kinds[byte] = (unsigned char)(NAME * in_name | PATH * in_path | QUERY * in_query | DIGIT * is_digit);
        lower[byte] = (unsigned char)small;
        hex_value[byte] = (signed char)(is_digit                       ? byte - '0'
                                        : small >= 'a' && small <= 'f' ? small - 'a' + 10
                                                                       : -1);
    }
}

static inline int
is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Return text without blanks at both ends, from ISO-8859-1. */
static PyObject *
stripped_text(const char *start, Py_ssize_t size)
{
    while (size && is_blank(*start))
        start++, size--;
    while (size && is_blank(start[size - 1]))
        size--;
    return PyUnicode_DecodeLatin1(start, size, NULL);
}

/* ---- Header pairs ---- */

typedef int (*Found)(PyObject *value, void *result);

/* Call `found` for each pair with the name, in lower case, until it returns a number other than 0, and return that
   number; -2 if the pairs are not a list or tuple of 2-tuples of bytes. */
static int
scan_pairs(PyObject *pairs, const char *name, Py_ssize_t length, Found found, void *result)
{
    int is_list = PyList_CheckExact(pairs);
    if (!is_list && !PyTuple_CheckExact(pairs))
        return -2;
    int status = 0;
    Py_BEGIN_CRITICAL_SECTION(pairs);
    for (Py_ssize_t i = 0; !status && i < (is_list ? PyList_GET_SIZE(pairs) : PyTuple_GET_SIZE(pairs)); i++) {
        PyObject *pair = is_list ? PyList_GET_ITEM(pairs, i) : PyTuple_GET_ITEM(pairs, i);
        if (!PyTuple_CheckExact(pair) || PyTuple_GET_SIZE(pair) != 2) {
            status = -2;
            break;
        }
        PyObject *other = PyTuple_GET_ITEM(pair, 0), *value = PyTuple_GET_ITEM(pair, 1);
        if (!PyBytes_CheckExact(other) || !PyBytes_CheckExact(value)) {
            status = -2;
            break;
        }
        if (PyBytes_GET_SIZE(other) != length)
            continue;
        const char *bytes = PyBytes_AS_STRING(other);
        Py_ssize_t k = 0;
        while (k < length && lower[(unsigned char)bytes[k]] == (unsigned char)name[k])
            k++;
        if (k == length)
            status = found(value, result);
    }
    Py_END_CRITICAL_SECTION();
    return status;
}

static int
take_first(PyObject *value, void *result)
{
    *(PyObject **)result = Py_NewRef(value);
    return 1;
}

static int
append(PyObject *value, void *result)
{
    return PyList_Append(result, value);
}

enum { MAX_NAME = 64 };

PyDoc_STRVAR(header_text_doc,
             "Return the first value of a header as text without blanks at its ends, or ``None``.");

static PyObject *
header_text(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyUnicode_CheckExact(args[1]) || !PyUnicode_IS_ASCII(args[1]))
        return call_twin(module, HEADER_TEXT, args, count);
    Py_ssize_t length = PyUnicode_GET_LENGTH(args[1]);
    if (length > MAX_NAME)
        return call_twin(module, HEADER_TEXT, args, count);
    char name[MAX_NAME];
    const unsigned char *key = PyUnicode_1BYTE_DATA(args[1]);
    for (Py_ssize_t k = 0; k < length; k++)
        name[k] = (char)lower[key[k]];
    PyObject *value = NULL;
    int status = scan_pairs(args[0], name, length, take_first, &value);
    if (status == -2)
        return call_twin(module, HEADER_TEXT, args, count);
    if (value == NULL)
        Py_RETURN_NONE;
    PyObject *text = stripped_text(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value));
    Py_DECREF(value);
    return text;
}

PyDoc_STRVAR(header_values_doc, "Return all values of a header as sent, in order; ``name`` is in lower case.");

static PyObject *
header_values(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyBytes_CheckExact(args[1]))
        return call_twin(module, HEADER_VALUES, args, count);
    PyObject *values = PyList_New(0);
    if (values == NULL)
        return NULL;
    int status = scan_pairs(args[0], PyBytes_AS_STRING(args[1]), PyBytes_GET_SIZE(args[1]), append, values);
    if (status == 0)
        return values;
    Py_DECREF(values);
    return status == -2 ? call_twin(module, HEADER_VALUES, args, count) : NULL;
}

static int
take_only(PyObject *value, void *result)
{
    if (*(PyObject **)result != NULL)
        return -2;
    *(PyObject **)result = Py_NewRef(value);
    return 0;
}

PyDoc_STRVAR(content_length_doc,
             "Return the declared length of the body in bytes, or ``None`` (RFC 9110 section 8.6).");

enum { MAX_ORDINARY_DIGITS = 18 }; /* any number of so many digits fits into a long long */

static PyObject *
content_length(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 1)
        return call_twin(module, CONTENT_LENGTH, args, count);
    PyObject *value = NULL;
    int status = scan_pairs(args[0], "content-length", 14, take_only, &value);
    if (status == 0 && value == NULL)
        Py_RETURN_NONE;
    long long length = 0;
    Py_ssize_t size = value == NULL ? 0 : PyBytes_GET_SIZE(value);
    int is_number = status == 0 && size > 0 && size <= MAX_ORDINARY_DIGITS;
    for (Py_ssize_t k = 0; is_number && k < size; k++) {
        unsigned char byte = (unsigned char)PyBytes_AS_STRING(value)[k];
        is_number = kinds[byte] & DIGIT;
        length = 10 * length + (byte - '0');
    }
    Py_XDECREF(value);
    return is_number ? PyLong_FromLongLong(length) : call_twin(module, CONTENT_LENGTH, args, count);
}

/* ---- Urlencoded ---- */

enum { STACK_BUFFER = 512 };

/* Decode a name or a value: "+", escapes, UTF-8. */
static PyObject *
decoded(const char *start, Py_ssize_t size)
{
    char on_stack[STACK_BUFFER], *buffer = on_stack;
    if (size > STACK_BUFFER && (buffer = PyMem_Malloc((size_t)size)) == NULL)
        return PyErr_NoMemory();
    Py_ssize_t length = 0;
    unsigned char all = 0; /* has the eighth bit if one of the bytes has it */
    for (Py_ssize_t k = 0; k < size; k++) {
        unsigned char byte = (unsigned char)start[k];
        if (byte == '+')
            byte = ' ';
        else if (byte == '%' && size - k > 2) {
            int first = hex_value[(unsigned char)start[k + 1]], second = hex_value[(unsigned char)start[k + 2]];
            if (first >= 0 && second >= 0) {
                byte = (unsigned char)(first << 4 | second);
                k += 2;
            }
        }
        all |= byte;
        buffer[length++] = (char)byte;
    }
    /* Without the eighth bit it is ASCII, which ISO-8859-1 decodes without another check. */
    PyObject *text = all & 0x80 ? PyUnicode_DecodeUTF8(buffer, length, "replace")
                                : PyUnicode_DecodeLatin1(buffer, length, NULL);
    if (buffer != on_stack)
        PyMem_Free(buffer);
    return text;
}

static PyObject *
decoded_pair(const char *start, Py_ssize_t size)
{
    const char *equals = memchr(start, '=', (size_t)size);
    Py_ssize_t name_size = equals == NULL ? size : equals - start;
    Py_ssize_t value_size = equals == NULL ? 0 : size - name_size - 1;
    PyObject *name = decoded(start, name_size);
    PyObject *value = name == NULL ? NULL : decoded(start + size - value_size, value_size);
    PyObject *pair = value == NULL ? NULL : PyTuple_New(2);
    if (pair == NULL) {
        Py_XDECREF(name);
        Py_XDECREF(value);
        return NULL;
    }
    PyTuple_SET_ITEM(pair, 0, name);
    PyTuple_SET_ITEM(pair, 1, value);
    return pair;
}

/* Return a limit as a number; PY_SSIZE_T_MAX for None, and -1 for a value that is not an ordinary limit. */
static Py_ssize_t
limit_from(PyObject *const *args, Py_ssize_t count, Py_ssize_t number)
{
    if (number >= count || args[number] == Py_None)
        return PY_SSIZE_T_MAX;
    if (!PyLong_CheckExact(args[number]))
        return -1;
    Py_ssize_t limit = PyLong_AsSsize_t(args[number]);
    if (limit == -1)
        PyErr_Clear();
    return limit;
}

PyDoc_STRVAR(parse_urlencoded_doc,
             "Parse a query or an ``application/x-www-form-urlencoded`` body into pairs, with order and duplicates.");

static PyObject *
parse_urlencoded(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count < 1 || count > 3 || !PyBytes_CheckExact(args[0]))
        return call_twin(module, PARSE_URLENCODED, args, count);
    Py_ssize_t max_fields = limit_from(args, count, 1), max_field_size = limit_from(args, count, 2);
    if (max_fields < 0 || max_field_size < 0)
        return call_twin(module, PARSE_URLENCODED, args, count);
    const char *start = PyBytes_AS_STRING(args[0]);
    Py_ssize_t rest = PyBytes_GET_SIZE(args[0]);
    PyObject *pairs = PyList_New(0);
    if (pairs == NULL)
        return NULL;
    int status = 0; /* -1 for an error, 1 for an exceeded limit */
    while (rest > 0 && status == 0) {
        const char *end = memchr(start, '&', (size_t)rest);
        Py_ssize_t size = end == NULL ? rest : end - start;
        if (size > 0) {
            /* The "=" does not count for the size. */
            if (PyList_GET_SIZE(pairs) >= max_fields ||
                (size > max_field_size && size - (memchr(start, '=', (size_t)size) != NULL) > max_field_size)) {
                status = 1;
                break;
            }
            PyObject *pair = decoded_pair(start, size);
            status = pair == NULL ? -1 : PyList_Append(pairs, pair);
            Py_XDECREF(pair);
        }
        rest -= size + (end != NULL);
        start += size + (end != NULL);
    }
    if (status == 0)
        return pairs;
    Py_DECREF(pairs);
    return status == 1 ? call_twin(module, PARSE_URLENCODED, args, count) : NULL;
}

/* ---- Cookies ---- */

/* Add the cookies of one header; return 0, -1 for an error, or -2 if a value is quoted, escaped or not ASCII. */
static int
add_cookies(PyObject *cookies, const char *start, Py_ssize_t rest)
{
    unsigned char all = 0;
    for (Py_ssize_t k = 0; k < rest; k++) {
        all |= (unsigned char)start[k];
        if (start[k] == '"' || start[k] == '%')
            return -2;
    }
    if (all & 0x80)
        return -2;
    while (rest > 0) {
        const char *end = memchr(start, ';', (size_t)rest);
        Py_ssize_t size = end == NULL ? rest : end - start;
        const char *equals = memchr(start, '=', (size_t)size);
        Py_ssize_t name_size = equals == NULL ? 0 : equals - start;
        Py_ssize_t value_start = equals == NULL ? 0 : name_size + 1;
        PyObject *name = stripped_text(start, name_size);
        PyObject *value = name == NULL ? NULL : stripped_text(start + value_start, size - value_start);
        int status = value == NULL ? -1 : 0;
        if (status == 0 && (PyUnicode_GET_LENGTH(name) || PyUnicode_GET_LENGTH(value)))
            status = PyDict_SetItem(cookies, name, value);
        Py_XDECREF(name);
        Py_XDECREF(value);
        if (status < 0)
            return -1;
        rest -= size + (end != NULL);
        start += size + (end != NULL);
    }
    return 0;
}

PyDoc_STRVAR(parse_cookies_doc, "Parse all Cookie headers of one request, in the order received.");

static PyObject *
parse_cookies(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 1 || !PyList_CheckExact(args[0]))
        return call_twin(module, PARSE_COOKIES, args, count);
    PyObject *cookies = PyDict_New();
    if (cookies == NULL)
        return NULL;
    int status = 0;
    Py_BEGIN_CRITICAL_SECTION(args[0]);
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(args[0]); i++) {
        PyObject *header = Py_NewRef(PyList_GET_ITEM(args[0], i));
        status = PyBytes_CheckExact(header)
                     ? add_cookies(cookies, PyBytes_AS_STRING(header), PyBytes_GET_SIZE(header))
                     : -2;
        Py_DECREF(header);
    }
    Py_END_CRITICAL_SECTION();
    if (status == 0)
        return cookies;
    Py_DECREF(cookies);
    return status == -2 ? call_twin(module, PARSE_COOKIES, args, count) : NULL;
}

/* ---- Request target ---- */

static int
has_only(const char *start, Py_ssize_t size, int kind)
{
    for (Py_ssize_t k = 0; k < size; k++)
        if (!(kinds[(unsigned char)start[k]] & kind))
            return 0;
    return 1;
}

/* Whether a Host is a name with an optional port that is not the default port of a scheme. */
static int
is_common_host(const char *host, Py_ssize_t size)
{
    const char *colon = memchr(host, ':', (size_t)size);
    if (colon == NULL)
        return size > 0 && has_only(host, size, NAME);
    Py_ssize_t name_size = colon - host, digits = size - name_size - 1;
    const char *port = colon + 1;
    if (name_size == 0 || digits < 2 || digits > 4 || *port == '0' || !has_only(port, digits, DIGIT))
        return 0;
    if ((digits == 2 && memcmp(port, "80", 2) == 0) || (digits == 3 && memcmp(port, "443", 3) == 0))
        return 0;
    return has_only(host, name_size, NAME);
}

static int
is_common_query(const char *query, Py_ssize_t size)
{
    for (Py_ssize_t k = 0; k < size; k++) {
        if (kinds[(unsigned char)query[k]] & QUERY)
            continue;
        if (query[k] != '%' || size - k < 3 || hex_value[(unsigned char)query[k + 1]] < 0 ||
            hex_value[(unsigned char)query[k + 2]] < 0)
            return 0;
        k += 2;
    }
    return 1;
}

static int
is_common_scheme(PyObject *scheme)
{
    if (!PyUnicode_CheckExact(scheme))
        return 0;
    return PyUnicode_CompareWithASCIIString(scheme, "https") == 0 ||
           PyUnicode_CompareWithASCIIString(scheme, "http") == 0 ||
           PyUnicode_CompareWithASCIIString(scheme, "wss") == 0 ||
           PyUnicode_CompareWithASCIIString(scheme, "ws") == 0;
}

/* Whether `path` is the text of `raw_path`, and needs no encoding. */
static int
is_common_path(PyObject *path, PyObject *raw_path)
{
    if (!PyUnicode_CheckExact(path) || !PyUnicode_IS_ASCII(path) || !PyBytes_CheckExact(raw_path))
        return 0;
    const char *bytes = PyBytes_AS_STRING(raw_path);
    Py_ssize_t size = PyBytes_GET_SIZE(raw_path);
    return size > 0 && *bytes == '/' && size == PyUnicode_GET_LENGTH(path) &&
           memcmp(PyUnicode_1BYTE_DATA(path), bytes, (size_t)size) == 0 && has_only(bytes, size, PATH);
}

/* The joined URL. The sizes cannot overflow: each part is an object in memory. */
static PyObject *
joined(PyObject *scheme, PyObject *host, PyObject *path, PyObject *query)
{
    const char *parts[] = {(const char *)PyUnicode_1BYTE_DATA(scheme), "://", PyBytes_AS_STRING(host),
                           (const char *)PyUnicode_1BYTE_DATA(path), "?", PyBytes_AS_STRING(query)};
    Py_ssize_t query_size = PyBytes_GET_SIZE(query), size = 0;
    Py_ssize_t sizes[] = {PyUnicode_GET_LENGTH(scheme), 3, PyBytes_GET_SIZE(host),
                          PyUnicode_GET_LENGTH(path), query_size > 0, query_size};
    for (int i = 0; i < 6; i++)
        size += sizes[i];
    PyObject *url = PyUnicode_New(size, 127);
    if (url == NULL)
        return NULL;
    char *out = (char *)PyUnicode_1BYTE_DATA(url);
    for (int i = 0; i < 6; out += sizes[i++])
        memcpy(out, parts[i], (size_t)sizes[i]);
    return url;
}

/* Return a new reference to a value of a scope; NULL if it is missing, with an exception if the lookup failed. */
static PyObject *
scope_value(PyObject *scope, PyObject *key)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *value;
    PyDict_GetItemRef(scope, key, &value);
    return value;
#else
    return Py_XNewRef(PyDict_GetItemWithError(scope, key));
#endif
}

static int
is_empty(PyObject *value)
{
    return value == NULL || value == Py_None || (PyUnicode_CheckExact(value) && PyUnicode_GET_LENGTH(value) == 0);
}

PyDoc_STRVAR(common_url_doc,
             "Return the URL of a request if its values can be used without any change, or ``None``.");

static PyObject *
common_url(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyDict_CheckExact(args[0]))
        return call_twin(module, COMMON_URL, args, count);
    State *state = PyModule_GetState(module);
    PyObject *values[KEYS] = {NULL}, *host = NULL, *url = NULL;
    for (int i = 0; i < KEYS && !PyErr_Occurred(); i++)
        values[i] = scope_value(args[0], state->keys[i]);
    PyObject *scheme = values[SCHEME], *path = values[PATH_TEXT];
    PyObject *raw_path = values[RAW_PATH], *query = values[QUERY_STRING];
    if (!PyErr_Occurred() && scheme && path && raw_path && query && PyBytes_CheckExact(query) &&
        is_empty(values[ROOT_PATH]) && is_common_scheme(scheme) && is_common_path(path, raw_path) &&
        is_common_query(PyBytes_AS_STRING(query), PyBytes_GET_SIZE(query)) &&
        scan_pairs(args[1], "host", 4, take_only, &host) == 0 && host != NULL &&
        is_common_host(PyBytes_AS_STRING(host), PyBytes_GET_SIZE(host)))
        url = joined(scheme, host, path, query);
    for (int i = 0; i < KEYS; i++)
        Py_XDECREF(values[i]);
    Py_XDECREF(host);
    return url != NULL || PyErr_Occurred() ? url : call_twin(module, COMMON_URL, args, count);
}

/* ---- Multipart ---- */

PyDoc_STRVAR(find_delimiter_doc, "Return the position of a multipart delimiter at or after ``start``, or -1.");

enum { MAX_CANDIDATES = 64 };

static PyObject *
find_delimiter(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !PyBytes_CheckExact(args[0]) || !PyBytes_CheckExact(args[1]) || !PyLong_CheckExact(args[2]))
        return call_twin(module, FIND_DELIMITER, args, count);
    Py_ssize_t start = PyLong_AsSsize_t(args[2]), length = PyBytes_GET_SIZE(args[1]);
    if (start < 0 || length == 0) {
        PyErr_Clear();
        return call_twin(module, FIND_DELIMITER, args, count);
    }
    const char *data = PyBytes_AS_STRING(args[0]), *delimiter = PyBytes_AS_STRING(args[1]);
    Py_ssize_t end = PyBytes_GET_SIZE(args[0]) - length + 1; /* of the positions where a delimiter can be */
    /* memchr takes less than half the time of bytes.find in content where CR, the first byte, is rare. In text with
       many line ends bytes.find is faster, so the candidates are limited to one in 128 bytes, and a few. */
    Py_ssize_t candidates = 0, begin = start;
    while (start < end) {
        const char *found = memchr(data + start, *delimiter, (size_t)(end - start));
        if (found == NULL)
            break;
        if (memcmp(found, delimiter, (size_t)length) == 0)
            return PyLong_FromSsize_t(found - data);
        start = found - data + 1;
        if (++candidates > MAX_CANDIDATES + (start - begin) / 128) {
            PyObject *position = PyLong_FromSsize_t(start);
            if (position == NULL)
                return NULL;
            PyObject *rest[] = {args[0], args[1], position};
            PyObject *result = call_twin(module, FIND_DELIMITER, rest, 3);
            Py_DECREF(position);
            return result;
        }
    }
    return PyLong_FromLong(-1);
}

/* ---- The module ---- */

#define FUNCTION(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, name##_doc}

static PyMethodDef functions[] = {
    FUNCTION(header_text),
    FUNCTION(header_values),
    FUNCTION(content_length),
    FUNCTION(parse_urlencoded),
    FUNCTION(parse_cookies),
    FUNCTION(common_url),
    FUNCTION(find_delimiter),
    {NULL, NULL, 0, NULL},
};

static int
import_twins(PyObject *module)
{
    State *state = PyModule_GetState(module);
    fill_tables();
    for (int i = 0; i < TWINS; i++) {
        PyObject *parser = PyImport_ImportModule(TWIN_MODULES[i]);
        if (parser == NULL)
            return -1;
        state->twins[i] = PyObject_GetAttrString(parser, functions[i].ml_name);
        Py_DECREF(parser);
        if (state->twins[i] == NULL)
            return -1;
    }
    for (int i = 0; i < KEYS; i++)
        if ((state->keys[i] = PyUnicode_InternFromString(KEY_NAMES[i])) == NULL)
            return -1;
    return 0;
}

static int
traverse(PyObject *module, visitproc visit, void *arg)
{
    State *state = PyModule_GetState(module);
    for (int i = 0; i < TWINS; i++)
        Py_VISIT(state->twins[i]);
    for (int i = 0; i < KEYS; i++)
        Py_VISIT(state->keys[i]);
    return 0;
}

static int
clear(PyObject *module)
{
    State *state = PyModule_GetState(module);
    for (int i = 0; i < TWINS; i++)
        Py_CLEAR(state->twins[i]);
    for (int i = 0; i < KEYS; i++)
        Py_CLEAR(state->keys[i]);
    return 0;
}

static void
free_module(void *module)
{
    clear(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, import_twins},
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "asgiwire._speedups",
    .m_doc = "Compiled twins of the parsers that most requests use.",
    .m_size = sizeof(State),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_module,
};

PyMODINIT_FUNC
PyInit__speedups(void)
{
    return PyModuleDef_Init(&definition);
}
