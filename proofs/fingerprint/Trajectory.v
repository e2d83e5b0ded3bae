(** * The law of all queries, for all networks, determines a sampler, repeated labels or not

    The start is one of the draws, so that w_j is all that is drawn of row j, and Sigma its covariance. What
    is seen are the labels and the queries of all calls, in their order, and the output. One coordinate will
    do. *)

From Coq Require Import Reals Lra Lia Arith List FunctionalExtensionality Classical.
From Fingerprint Require Import Samplers Deterministic Law.
Import ListNotations.
Open Scope R_scope.

(** ** The expectation of functions of normal draws *)

Definition near (e a b : R) : R := if Rlt_dec (Rabs (a - b)) e then 1 else 0.

(** 1 if a_i is within e of b_i for all i < m, else 0. *)
Fixpoint within (e : R) (m : nat) (a b : nat -> R) : R :=
  match m with O => 1 | S i => within e i a b * near e (a i) (b i) end.

Lemma near_one : forall e a b, Rabs (a - b) < e -> near e a b = 1.
Proof. intros e a b close. unfold near. destruct (Rlt_dec (Rabs (a - b)) e); [reflexivity|contradiction].
Qed.

Lemma within_ext : forall e m a a' b, (forall i, (i < m)%nat -> a i = a' i) ->
  within e m a b = within e m a' b.
Proof.
  intros e m a a' b. induction m as [|m IH]; intros same; simpl; [reflexivity|].
  rewrite IH, same; [reflexivity|lia|]. intros i small. apply same. lia.
Qed.

Lemma within_zero : forall e m a b, within e m a b = 0 \/ forall i, (i < m)%nat -> Rabs (a i - b i) < e.
Proof.
  intros e m a b. induction m as [|m [zero|close]]; simpl; [right; lia|left; rewrite zero; lra|].
  unfold near. destruct (Rlt_dec (Rabs (a m - b m)) e) as [here|away]; [right|left; lra].
  intros i small. destruct (Nat.eq_dec i m) as [->|]; [assumption|apply close; lia].
Qed.

Section Trajectory.
Context {Label Coordinate : Type}.
Variables (decide : forall a b : Label, {a = b} + {a <> b}) (k : Coordinate) (K : nat).

(** The linear combination of the draws, in the coordinate k. *)
Definition drawn (g : nat -> R) (n : nat -> state Coordinate) : R := dot K g (fun d => n d k).

(** What is used of the expectation of functions of independent standard normal draws: rotations do not
    change it; the second moments; it is linear where it should be; and a box around a value that can be
    drawn has a probability that is not zero. All functions have an expectation here: read it as the upper
    integral, and as 0 where that is infinite. *)
Record normal (E : ((nat -> state Coordinate) -> R) -> R) : Prop := {
  normal_invariant : rotation_invariant K E;
  normal_moments : forall g h, E (fun n => drawn g n * drawn h n) = dot K g h;
  normal_linear : forall e m (G : nat -> nat -> R) b g s,
    E (fun n => within e m (fun i => drawn (G i) n) b * (drawn g n + s))
    = E (fun n => within e m (fun i => drawn (G i) n) b * drawn g n)
      + s * E (fun n => within e m (fun i => drawn (G i) n) b);
  normal_everywhere : forall e m (G : nat -> nat -> R) n, 0 < e ->
    E (fun n' => within e m (fun i => drawn (G i) n') (fun i => drawn (G i) n)) <> 0
}.

(** ** A network that answers y_i near p_i, at the label l_i *)

Section Answers.
Variables (m : nat) (l : nat -> Label) (p y : nat -> R) (e : R).

Fixpoint answer (i : nat) (a : Label) (x : R) : R :=
  match i with
  | O => 0
  | S u => if decide a (l u) then if Rlt_dec (Rabs (x - p u)) e then y u else answer u a x else answer u a x
  end.

Definition answering : network Label Coordinate := fun a q _ => answer m a (q k).

Hypothesis apart : forall i j, (i < m)%nat -> (j < m)%nat -> i <> j -> l i = l j ->
  2 * e <= Rabs (p i - p j).

Lemma answer_near : forall i x, (i < m)%nat -> Rabs (x - p i) < e -> answer m (l i) x = y i.
Proof.
  intros i x small close.
  assert (far : forall u, (u < m)%nat -> l i = l u -> Rabs (x - p u) < e -> u = i).
  { intros u few labels also. apply NNPP. intros other. specialize (apart i u small few ltac:(auto) labels).
    replace (p i - p u) with ((x - p u) - (x - p i)) in apart by ring.
    pose proof (Rabs_triang (x - p u) (- (x - p i))). rewrite Rabs_Ropp in *. unfold Rminus in *. lra. }
  assert (within_m : forall u, (u <= m)%nat -> (i < u)%nat -> answer u (l i) x = y i).
  2: { apply within_m; lia. }
  induction u as [|u IH]; intros few after; [lia|]. simpl.
  destruct (Nat.eq_dec i u) as [<-|other].
  - destruct (decide (l i) (l i)); [|contradiction]. destruct (Rlt_dec _ _); [reflexivity|contradiction].
  - destruct (decide (l i) (l u)) as [labels|]; [destruct (Rlt_dec _ _) as [also|]|]; try (apply IH; lia).
    exfalso. apply other. symmetry. apply far; [lia|assumption|assumption].
Qed.

(** A sampler that is planned to be asked at p is, as long as its noise is near what the plan has. *)
Variables (A : sampler Label) (G : nat -> nat -> R) (b : nat -> R).
Hypothesis labels : forall i, (i < m)%nat -> label A i = l i.
Hypothesis planned : forall i, (i < m)%nat -> p i = b i + sum i (fun u => weight A i u * y u).

Notation asked n j := (query A answering (fun _ => 0) (noise K G n) j k).

Lemma asked_as_planned : forall n j, (j <= m)%nat -> (forall i, (i < j)%nat ->
  Rabs (drawn (G i) n - b i) < e) ->
  asked n j = drawn (G j) n + sum j (fun u => weight A j u * y u).
Proof.
  intros n j. induction j as [j IH] using (well_founded_induction lt_wf); intros small close.
  rewrite query_equation. change (noise K G n j k) with (drawn (G j) n).
  rewrite (sum_ext j _ (fun u => weight A j u * y u)); [lra|].
  intros u before. f_equal. rewrite labels by lia. apply answer_near; [lia|].
  rewrite (IH u), planned by (lia || (intros; apply close; lia)).
  match goal with |- Rabs ?t < e => replace t with (drawn (G u) n - b u) by ring end. apply close. lia.
Qed.

Lemma within_as_planned : forall n j, (j <= m)%nat ->
  within e j (fun i => asked n i) p = within e j (fun i => drawn (G i) n) b.
Proof.
  intros n. induction j as [|j IH]; intros small; [reflexivity|]. simpl. rewrite IH by lia.
  destruct (within_zero e j (fun i => drawn (G i) n) b) as [->|close]; [lra|].
  f_equal. unfold near. rewrite asked_as_planned, planned by (lia || assumption).
  match goal with |- context [Rabs (?s - ?t)] => replace (s - t) with (drawn (G j) n - b j) by ring end.
  reflexivity.
Qed.

Lemma seen_as_planned : forall n,
  within e m (fun i => asked n i) p * asked n m
  = within e m (fun i => drawn (G i) n) b * (drawn (G m) n + sum m (fun u => weight A m u * y u)).
Proof.
  intros n. rewrite within_as_planned by lia.
  destruct (within_zero e m (fun i => drawn (G i) n) b) as [->|close]; [lra|].
  rewrite asked_as_planned by (lia || assumption). reflexivity.
Qed.
End Answers.

(** ** The theorem *)

Lemma gap : forall l : list R, exists e, 0 < e /\ forall t, In t l -> t <> 0 -> 2 * e <= Rabs t.
Proof.
  induction l as [|s l [e [positive below]]]; [exists 1; split; [lra|contradiction]|].
  destruct (Req_dec s 0) as [zero|nonzero].
  - exists e. split; [assumption|]. intros t [<-|inside] other; [contradiction|auto].
  - pose proof (Rabs_pos_lt s nonzero). exists (Rmin e (Rabs s / 2)).
    split; [apply Rmin_glb_lt; lra|]. pose proof (Rmin_l e (Rabs s / 2)).
    pose proof (Rmin_r e (Rabs s / 2)).
    intros t [<-|inside] other; [lra|]. specialize (below t inside other). lra.
Qed.

(** No two calls are always asked the same. *)
Definition told_apart (A : sampler Label) G : Prop :=
  forall i j, (i < calls A)%nat -> (j < calls A)%nat -> label A i = label A j ->
    (forall u, (u < calls A)%nat -> weight A i u = weight A j u) -> distance K G i j = 0 -> i = j.

Definition trajectory A G (F : network Label Coordinate) n (j : nat) : R :=
  query A F (fun _ => 0) (noise K G n) j k.

(** Classes of networks and of functions of trajectories, such as those that are measurable, that have among
    them the networks above, the products of two queries, and a query where those before it are in a box. *)
Definition rich (networks : network Label Coordinate -> Prop) (functions : ((nat -> R) -> R) ->
  Prop) : Prop :=
  (forall m l p y e, networks (answering m l p y e)) /\
  (forall i j, functions (fun t => t i * t j)) /\
  (forall e j p, functions (fun t => within e j t p * t j)).

(** The trajectories have the same law: the same labels, and the same expectation of what is computed from
    the queries and the output. *)
Definition same_trajectories networks functions (E : ((nat -> state Coordinate) -> R) ->
  R) A G B G' : Prop :=
  calls A = calls B /\ (forall i, (i < calls A)%nat -> label A i = label B i) /\
  forall F seen, networks F -> functions seen ->
    (forall t t', (forall j, (j <= calls A)%nat -> t j = t' j) -> seen t = seen t') ->
    E (fun n => seen (trajectory A G F n)) = E (fun n => seen (trajectory B G' F n)).

Section Determined.
Variables (E : ((nat -> state Coordinate) -> R) -> R) (A B : sampler Label) (G G' : nat -> nat -> R).
Variables (networks : network Label Coordinate -> Prop) (functions : ((nat -> R) -> R) -> Prop).
Hypothesis enough : rich networks functions.
Hypothesis law : normal E.
Hypothesis distinct : told_apart A G.
Hypothesis same_law : same_trajectories networks functions E A G B G'.

(** The network that answers nothing shows the noise. *)
Lemma covariances_seen : forall i j, (i <= calls A)%nat -> (j <= calls A)%nat ->
  covariance K G i j = covariance K G' i j.
Proof.
  intros i j small_i small_j. destruct same_law as [_ [_ equal]].
  destruct enough as [networks_in [products_in _]].
  specialize (equal (fun _ _ _ => 0) (fun t => t i * t j)
    (networks_in O (label A) (fun _ => 0) (fun _ => 0) 0) (products_in i j)).
  assert (silent_run : forall C D n u, trajectory C D (fun _ _ _ => 0) n u = drawn (D u) n).
  { intros C D n u. unfold trajectory. rewrite query_equation.
    change (noise K D n u k) with (drawn (D u) n).
    rewrite sum_zero; [lra|]. intros; lra. }
  unfold covariance. rewrite <- !(normal_moments E law).
  transitivity (E (fun n => trajectory A G (fun _ _ _ => 0) n i * trajectory A G (fun _ _ _ => 0) n j)).
  - f_equal. extensionality n. rewrite !silent_run. reflexivity.
  - rewrite equal; [f_equal; extensionality n; rewrite !silent_run; reflexivity|].
    intros t t' same. rewrite !same by assumption. reflexivity.
Qed.

(** What the noise contributes is the same in both. *)
Lemma noise_expectation : forall m (f : (nat -> R) -> R), (m <= calls A)%nat ->
  (forall t t', (forall j, (j <= m)%nat -> t j = t' j) -> f t = f t') ->
  E (fun n => f (fun i => drawn (G i) n)) = E (fun n => f (fun i => drawn (G' i) n)).
Proof.
  intros m f small sees.
  apply (noise_law K E (S m) G G' (fun w => f (fun i => w i k)) (normal_invariant E law)).
  - intros i j few_i few_j. apply covariances_seen; lia.
  - intros w w' same. apply sees. intros j few. rewrite same by lia. reflexivity.
Qed.

(** If the rows before j agree, so does row j: else there are answers, and draws, for which what row j
    carries differs, and all queries before it with one label are apart; answer so, near those queries. *)
Lemma row_seen : forall j, (j <= calls A)%nat ->
  (forall i u, (i < j)%nat -> weight A i u = weight B i u) ->
  forall u, (u < j)%nat -> weight A j u = weight B j u.
Proof.
  intros j small before u inside. apply NNPP. intros differ.
  set (carries := fun x => sum j (fun v => (weight A j v - weight B j v) * x v)).
  set (noise_of := fun x i => sum K (fun d => G i d * x (calls A + d)%nat)).
  set (asked := fun x i => noise_of x i + sum (calls A) (fun v => weight A i v * x v)).
  set (pair := fun (ii : nat * nat) x => asked x (fst ii) - asked x (snd ii)).
  set (pairs := list_prod (seq 0 j) (seq 0 j)).
  destruct (generic (carries :: map pair pairs)) as [x avoids].
  { intros f [<-|listed]; [apply (combination_affine j (fun v => weight A j v - weight B j v)
      (fun v => v))|].
    apply in_map_iff in listed. destruct listed as [[i i'] [<- _]]. unfold pair, asked, noise_of. simpl.
    apply minus_affine; apply plus_affine;
      (apply (combination_affine K _ (fun d => (calls A + d)%nat))
       || apply (combination_affine (calls A) _ (fun v => v))). }
  assert (apart : forall i i', (i < j)%nat -> (i' < j)%nat -> i <> i' -> label A i = label A i' ->
    asked x i - asked x i' <> 0).
  { intros i i' few few' other labels.
    apply (avoids (pair (i, i'))); [right; apply in_map, in_prod; apply in_seq; lia|].
    apply NNPP. intros always. apply other. apply distinct; try lia; [assumption| |].
    - intros v few_v. apply NNPP. intros entries. apply always. exists (only v).
      unfold pair, asked, noise_of. simpl.
      rewrite !(sum_zero K), !(sum_only (calls A) _ v); try assumption; unfold only; rewrite ?Nat.eqb_refl;
        try lra.
      all: intros w few_w; try intros apart_w; destruct (Nat.eqb_spec w v); try lra; try contradiction.
      all: destruct (Nat.eqb_spec (calls A + w) v); lia || lra.
    - apply distance_zero. intros d few_d. apply NNPP. intros entries. apply always.
      exists (only (calls A + d)). unfold pair, asked, noise_of. simpl.
      rewrite !(sum_only K _ d), !(sum_zero (calls A)); try assumption; unfold only; rewrite ?Nat.eqb_refl;
        try lra.
      all: intros w few_w; try intros apart_w.
      all: destruct (Nat.eqb_spec w (calls A + d)), (Nat.eqb_spec (calls A + w) (calls A + d)); lia || lra.
      }
  destruct (gap (map (fun ii => pair ii x) pairs)) as [e [positive gaps]].
  set (n0 := fun d (_ : Coordinate) => x (calls A + d)%nat).
  set (b := fun i => drawn (G i) n0). set (p := fun i => b i + sum i (fun v => weight A i v * x v)).
  assert (plans : forall i, (i < j)%nat -> asked x i = p i).
  { intros i few. unfold asked, p. f_equal. apply sum_longer; [lia|].
    intros v [above _]. rewrite weight_upper by assumption. lra. }
  assert (spread : forall i i', (i < j)%nat -> (i' < j)%nat -> i <> i' -> label A i = label A i' ->
    2 * e <= Rabs (p i - p i')).
  { intros i i' few few' other labels. rewrite <- !plans by assumption.
    apply gaps; [|apply apart; assumption].
    apply in_map_iff. exists (i, i'). split; [reflexivity|]. apply in_prod; apply in_seq; lia. }
  destruct same_law as [counts [told equal]].
  destruct enough as [networks_in [_ boxes_in]].
  specialize (equal (answering j (label A) p x e) (fun t => within e j t p * t j)
    (networks_in j (label A) p x e) (boxes_in e j p)).
  unfold trajectory in equal.
  rewrite (functional_extensionality _ _ (seen_as_planned j (label A) p x e spread A G b
    ltac:(reflexivity) ltac:(reflexivity))) in equal.
  rewrite (functional_extensionality _ _ (seen_as_planned j (label A) p x e spread B G' b
    ltac:(intros; symmetry; apply told; lia)
    ltac:(intros; unfold p; f_equal; apply sum_ext; intros; rewrite before by assumption;
      reflexivity))) in equal.
  rewrite !(normal_linear E law) in equal.
  rewrite (noise_expectation j (fun t => within e j t b * t j)) in equal.
  2: assumption.
  2: { intros t t' same. rewrite (within_ext e j t t'), same by (lia || (intros; apply same; lia)).
       reflexivity. }
  rewrite (noise_expectation j (fun t => within e j t b)) in equal.
  2: assumption.
  2: { intros t t' same. apply within_ext. intros; apply same; lia. }
  assert (probable : E (fun n => within e j (fun i => drawn (G' i) n) b) <> 0).
  { rewrite <- (noise_expectation j (fun t => within e j t b)); [|assumption|].
    - apply (normal_everywhere E law). assumption.
    - intros t t' same. apply within_ext. intros; apply same; lia. }
  apply (avoids carries); [left; reflexivity| |].
  - exists (only u). unfold carries. rewrite (sum_only _ _ u inside).
    + unfold only. rewrite Nat.eqb_refl. lra.
    + intros v _ other. unfold only. destruct (Nat.eqb_spec v u); [contradiction|lra].
  - assert (carried_alike : sum j (fun v => weight A j v * x v) = sum j (fun v => weight B j v * x v)).
    { apply Rmult_eq_reg_r with (E (fun n => within e j (fun i => drawn (G' i) n) b)); [|assumption].
      assert (seen_ext : forall t t', (forall i, (i <= calls A)%nat -> t i = t' i) ->
        within e j t p * t j = within e j t' p * t' j).
      { intros t t' same. rewrite (within_ext e j t t'), same by (lia || (intros; apply same; lia)).
        reflexivity. }
      specialize (equal seen_ext). lra. }
    unfold carries. rewrite (sum_ext _ _ (fun v => weight A j v * x v + (-1) * (weight B j v * x v))).
    + rewrite sum_plus, sum_scal, carried_alike. lra.
    + intros. lra.
Qed.

(** Row by row. *)
Theorem matrices_seen :
  (forall j u, (j <= calls A)%nat -> (u < calls A)%nat -> weight A j u = weight B j u) /\
  (forall i j, (i <= calls A)%nat -> (j <= calls A)%nat -> covariance K G i j = covariance K G' i j).
Proof.
  split; [|exact covariances_seen].
  assert (rows : forall m j u, (j < m)%nat -> (j <= calls A)%nat -> weight A j u = weight B j u).
  2: { intros j u small _. apply (rows (S j)); lia. }
  induction m as [|m IH]; intros j u before small; [lia|].
  destruct (Nat.lt_ge_cases u j) as [inside|above]; [|rewrite !weight_upper by assumption; reflexivity].
  apply (row_seen j small); [|assumption]. intros i v earlier. apply IH; lia.
Qed.
End Determined.

(** The trajectories have the same law exactly if all matrices are the same. *)
Theorem trajectories : forall (E : ((nat -> state Coordinate) -> R) -> R) (A B : sampler Label) G G'
    networks functions,
  rich networks functions -> normal E -> told_apart A G ->
  same_trajectories networks functions E A G B G' <->
    calls A = calls B /\ (forall i, (i < calls A)%nat -> label A i = label B i) /\
    (forall j i, (j <= calls A)%nat -> (i < calls A)%nat -> weight A j i = weight B j i) /\
    forall i j, (i <= calls A)%nat -> (j <= calls A)%nat -> covariance K G i j = covariance K G' i j.
Proof.
  intros E A B G G' networks functions enough law distinct. split.
  - intros same. destruct (matrices_seen E A B G G' networks functions enough law distinct same).
    destruct same as [counts [labels _]]. auto.
  - intros [counts [labels [weights covariances]]]. split; [assumption|]. split; [assumption|].
    intros F seen _ _ sees.
    transitivity (E (fun n => seen (trajectory A G' F n))).
    + apply (noise_law K E (S (calls A)) G G' (fun w => seen (fun j => query A F (fun _ => 0) w j k))).
      * apply (normal_invariant E law).
      * intros i j small_i small_j. apply covariances; lia.
      * intros w w' same. apply sees. intros j small.
        rewrite (query_shares A A F (fun _ => 0) (fun _ => 0) w w'); auto.
        intros i l few. rewrite same by lia. reflexivity.
    + f_equal. extensionality n. apply sees. intros j small. unfold trajectory.
      rewrite (query_shares A B F (fun _ => 0) (fun _ => 0) (noise K G' n) (noise K G' n)); auto.
      intros. lra.
Qed.
End Trajectory.
