{{- define "platform.labels" -}}
app.kubernetes.io/name: platform
app.kubernetes.io/part-of: observability
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* A file of the chart in which each __word__ is its value. A word without a value is an error. */}}
{{- define "platform.file" -}}
{{- $text := .root.Files.Get .file }}
{{- range $word, $value := .root.Values.words }}
{{- $text = replace (printf "__%s__" $word) $value $text }}
{{- end }}
{{- with regexFind "__[a-z_]+[a-z]__" $text }}{{ fail (printf "no value for %s" .) }}{{ end }}
{{- $text }}
{{- end }}
