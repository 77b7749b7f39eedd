{{- /* Labels by which a Service, a policy or a budget finds pods: they never change. */ -}}
{{- define "system.selector" -}}
app.kubernetes.io/name: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "system.labels" -}}
{{ include "system.selector" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- /* Whether anything was deployed yet: the pipeline writes the image once a deployment is healthy. */ -}}
{{- define "system.deployed" -}}
{{- if ne .Values.image "none" }}yes{{ end }}
{{- end }}

{{- /* What every container may do: nothing that needs rights, and no writing but to the scratch folder. */ -}}
{{- define "system.confined" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
privileged: false
readOnlyRootFilesystem: true
{{- end }}

{{- /* Memory is a limit as well: a pod that takes more goes, and not its neighbours. Processor time is none: what nobody
else wants may be used. */ -}}
{{- define "system.resources" -}}
requests: {cpu: {{ .cpu }}, memory: {{ .memory }}}
limits: {memory: {{ .memory }}}
{{- end }}

{{- /* The container of the system, in whatever part. */ -}}
{{- define "system.container" -}}
{{- $values := .root.Values -}}
name: app
image: {{ $values.image | quote }}
imagePullPolicy: IfNotPresent
{{- with .command }}
command: {{ toJson . }}
{{- end }}
env:
  - name: POD_IP
    valueFrom: {fieldRef: {fieldPath: status.podIP}}
  - {name: TMPDIR, value: "/{{ $values.scratch }}"}
  {{- range $name, $value := $values.env }}
  - {name: {{ $name }}, value: {{ toJson $value }}}
  {{- end }}
{{- with $values.secrets }}
envFrom:
  {{- range . }}
  - secretRef: {name: {{ .name }}{{ if .optional }}, optional: true{{ end }}}
  {{- end }}
{{- end }}
resources:
  {{- include "system.resources" .asked | nindent 2 }}
securityContext:
  {{- include "system.confined" . | nindent 2 }}
volumeMounts:
  - {name: scratch, mountPath: "/{{ $values.scratch }}"}
  {{- if $values.authorities }}
  - {name: authorities, mountPath: {{ $values.authoritiesPath }}, readOnly: true}
  {{- end }}
{{- end }}

{{- /* What all pods share: who they are, where they may run, what they may write. */ -}}
{{- define "system.pod" -}}
{{- $values := .root.Values -}}
serviceAccountName: {{ .root.Release.Name }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ $values.user }}
  runAsGroup: {{ $values.user }}
  fsGroup: {{ $values.user }}
  seccompProfile: {type: RuntimeDefault}
volumes:
  - name: scratch
    emptyDir: {sizeLimit: {{ $values.scratchSize }}}
  {{- with $values.authorities }}
  - name: authorities
    configMap: {name: {{ . }}}
  {{- end }}
{{- end }}

{{- /* Zones and nodes share the pods as evenly as may be. A preference, no condition: when a zone is lost, its pods start
in the others. */ -}}
{{- define "system.spread" -}}
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "system.selector" $ | nindent 6 }}
  matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}
