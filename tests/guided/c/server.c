/* The twin of ../rust in C: a server with one tool that dies of one of 2^24 prefixes, looked at one character at a time.
 * It reads just enough JSON to find what it needs, by the names of the members. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char line[1 << 20];

/* Where the value of a member begins, or nothing. */
static const char *member(const char *name) {
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *found = strstr(line, quoted);
    return found ? found + strlen(quoted) : NULL;
}

static int is(const char *value, const char *text) {
    return value && strncmp(value, text, strlen(text)) == 0;
}

/* The id as it stands, which is a number or a text. */
static const char *id(void) {
    static char copy[sizeof line];
    const char *value = member("id");
    if (!value) return NULL;
    size_t length = *value == '"' ? strcspn(value + 1, "\"") + 2 : strcspn(value, ",}");
    if (length == 0 || length >= sizeof copy) return NULL;
    memcpy(copy, value, length);
    copy[length] = 0;
    return copy;
}

/* The bug. */
static void deploy(const char *mode) {
    if (mode[0] == 'Q')
        if (mode[1] == 'z')
            if (mode[2] == '7') abort();
}

int main(void) {
    while (fgets(line, sizeof line, stdin)) {
        if (line[0] != '{') continue;
        const char *method = member("method"), *own = id(), *mode;
        if (!method || !own || (*own != '"' && (*own < '0' || *own > '9'))) continue;
        printf("{\"jsonrpc\":\"2.0\",\"id\":%s,", own);
        if (is(method, "\"initialize\""))
            printf("\"result\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},"
                   "\"serverInfo\":{\"name\":\"guided\",\"version\":\"0\"}}}\n");
        else if (is(method, "\"ping\""))
            printf("\"result\":{}}\n");
        else if (is(method, "\"tools/list\""))
            printf("\"result\":{\"tools\":[{\"name\":\"deploy\",\"inputSchema\":{\"type\":\"object\","
                   "\"properties\":{\"mode\":{\"type\":\"string\"}},\"required\":[\"mode\"]}}]}}\n");
        else if (is(method, "\"tools/call\"") && (mode = member("mode")) && *mode == '"') {
            deploy(mode + 1);
            printf("\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"deployed\"}]}}\n");
        } else
            printf("\"error\":{\"code\":-32601,\"message\":\"no such method\"}}\n");
        fflush(stdout);
    }
    return 0;
}
