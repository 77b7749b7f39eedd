{{- define "system.name" -}}
system-{{ .Values.words.system }}
{{- end }}

{{- define "system.labels" -}}
app.kubernetes.io/name: {{ include "system.name" . }}
app.kubernetes.io/part-of: {{ .Values.words.system }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* A file of the chart in which each __word__ is its value. A missing value is an error. */}}
{{- define "system.file" -}}
{{- $text := .root.Files.Get .file }}
{{- range $word, $value := .root.Values.words }}
{{- $text = replace (printf "__%s__" $word) $value $text }}
{{- end }}
{{- with regexFind "__[a-z_]+[a-z]__" $text }}{{ fail (printf "no value for %s" .) }}{{ end }}
{{- $text }}
{{- end }}
